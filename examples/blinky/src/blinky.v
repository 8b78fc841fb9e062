// blinky: the LEDs count in binary.
//
// On the iCEstick (12 MHz) the lowest LED flickers at 23 Hz and the highest
// changes about three times a second.

`default_nettype none

module blinky #(
    parameter DIVIDER = 262144      // clock cycles a count is shown; at least 2
) (
    input  wire       clk,
    output wire [4:0] leds
);
    localparam WIDTH = $clog2(DIVIDER);
    localparam [WIDTH-1:0] LAST = DIVIDER[WIDTH-1:0] - 1'b1;

    // iCE40 flip-flops start at zero, so no reset is needed.
    reg [WIDTH-1:0] cycle = 0;
    reg [4:0]       count = 0;

    always @(posedge clk) begin
        if (cycle == LAST) begin
            cycle <= 0;
            count <= count + 5'd1;
        end else begin
            cycle <= cycle + 1'b1;
        end
    end

    assign leds = count;
endmodule

`default_nettype wire
