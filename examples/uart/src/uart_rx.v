// Receives bytes: looks at each bit in its middle, and reports a byte without a stop bit as a framing error.

`default_nettype none

module uart_rx (
    input  wire        clk,
    input  wire        reset,
    input  wire [11:0] divider,         // cycles of a bit, less one
    input  wire        rx,
    output reg  [7:0]  data,
    output reg         valid,           // for a cycle
    output reg         framing_error    // for a cycle, instead of `valid`
);
    reg [1:0]  sync;                    // against metastability: rx belongs to no clock of ours
    reg [11:0] cycles;
    reg [3:0]  bits_left;               // of start bit, data and stop bit

    wire line   = sync[1];
    wire middle = cycles == {1'b0, divider[11:1]};

    always @(posedge clk) begin
        sync          <= {sync[0], rx};
        valid         <= 1'b0;
        framing_error <= 1'b0;
        if (reset) begin
            sync      <= 2'b11;
            cycles    <= 12'd0;
            bits_left <= 4'd0;
        end else if (bits_left == 4'd0) begin
            cycles <= 12'd0;
            if (!line) bits_left <= 4'd10;
        end else begin
            cycles <= cycles == divider ? 12'd0 : cycles + 12'd1;
            if (middle) begin
                bits_left <= bits_left - 4'd1;
                if (bits_left == 4'd10) begin
                    if (line) bits_left <= 4'd0;        // a glitch, no start bit
                end else if (bits_left == 4'd1) begin
                    valid         <= line;
                    framing_error <= !line;
                end else begin
                    data <= {line, data[7:1]};
                end
            end
        end
    end
endmodule

`default_nettype wire
