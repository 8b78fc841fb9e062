// UART receiver: samples each bit in its middle, drops a byte whose stop bit is not high.

`default_nettype none

module uart_rx #(
    parameter CLOCKS_PER_BIT = 26
) (
    input  wire       clk,
    input  wire       reset,
    input  wire       rx,
    output reg  [7:0] data,
    output reg        done          // for one cycle, when `data` has a new byte
);
    localparam WIDTH = $clog2(CLOCKS_PER_BIT);
    localparam [WIDTH-1:0] LAST   = CLOCKS_PER_BIT[WIDTH-1:0] - 1'b1;
    localparam [WIDTH-1:0] MIDDLE = LAST >> 1;

    reg [1:0]       sync;           // against metastability: rx belongs to no clock of ours
    reg [WIDTH-1:0] clocks;         // since the current bit began
    reg [3:0]       bits_left;      // of start bit, data and stop bit
    reg [7:0]       shift;

    wire line = sync[1];

    always @(posedge clk) begin
        sync <= {sync[0], rx};
        done <= 1'b0;
        if (reset) begin
            sync      <= 2'b11;
            clocks    <= 0;
            bits_left <= 4'd0;
        end else if (bits_left == 4'd0) begin
            clocks <= 0;
            if (!line) bits_left <= 4'd10;
        end else begin
            clocks <= clocks == LAST ? {WIDTH{1'b0}} : clocks + 1'b1;
            if (clocks == MIDDLE) begin
                bits_left <= bits_left - 4'd1;
                if (bits_left == 4'd10 && line) begin
                    bits_left <= 4'd0;      // a glitch, not a start bit
                end else if (bits_left == 4'd1) begin
                    data <= shift;
                    done <= line;
                end else begin
                    shift <= {line, shift[7:1]};
                end
            end
        end
    end
endmodule

`default_nettype wire
