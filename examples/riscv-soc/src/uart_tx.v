// UART transmitter: start bit, 8 data bits with the lowest first, stop bit.

`default_nettype none

module uart_tx #(
    parameter CLOCKS_PER_BIT = 26
) (
    input  wire       clk,
    input  wire       reset,
    input  wire [7:0] data,
    input  wire       send,         // heeded while `ready`
    output wire       ready,
    output wire       tx
);
    localparam WIDTH = $clog2(CLOCKS_PER_BIT);
    localparam [WIDTH-1:0] LAST = CLOCKS_PER_BIT[WIDTH-1:0] - 1'b1;

    reg [WIDTH-1:0] clocks;         // since the current bit began
    reg [3:0]       bits_left;
    reg [8:0]       shift;          // the bit on the line and those after it

    assign ready = bits_left == 4'd0;
    assign tx    = shift[0];

    always @(posedge clk) begin
        if (reset) begin
            clocks    <= 0;
            bits_left <= 4'd0;
            shift     <= 9'h1ff;
        end else if (ready) begin
            if (send) begin
                clocks    <= 0;
                bits_left <= 4'd10;
                shift     <= {data, 1'b0};
            end
        end else if (clocks == LAST) begin
            clocks    <= 0;
            bits_left <= bits_left - 4'd1;
            shift     <= {1'b1, shift[8:1]};
        end else begin
            clocks <= clocks + 1'b1;
        end
    end
endmodule

`default_nettype wire
