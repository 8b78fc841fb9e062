// Sends bytes: start bit, eight bits with the lowest first, stop bit.

`default_nettype none

module uart_tx (
    input  wire        clk,
    input  wire        reset,
    input  wire [11:0] divider,         // cycles of a bit, less one
    input  wire [7:0]  data,
    input  wire        valid,
    output wire        ready,
    output wire        tx
);
    reg [11:0] cycles;                  // of the current bit
    reg [3:0]  bits_left;
    reg [8:0]  shift;                   // the bit on the line and those after it

    assign ready = bits_left == 4'd0;
    assign tx    = shift[0];

    always @(posedge clk) begin
        if (reset) begin
            cycles    <= 12'd0;
            bits_left <= 4'd0;
            shift     <= 9'h1ff;
        end else if (ready) begin
            cycles <= 12'd0;
            if (valid) begin
                bits_left <= 4'd10;
                shift     <= {data, 1'b0};
            end
        end else if (cycles == divider) begin
            cycles    <= 12'd0;
            bits_left <= bits_left - 4'd1;
            shift     <= {1'b1, shift[8:1]};
        end else begin
            cycles <= cycles + 12'd1;
        end
    end
endmodule

`default_nettype wire
