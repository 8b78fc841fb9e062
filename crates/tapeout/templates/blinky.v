// blinky: five LEDs count in binary.

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
        cycle <= (cycle == LAST) ? 0 : cycle + 1'b1;
        if (cycle == LAST)
            count <= count + 5'd1;
    end

    assign leds = count;
endmodule

`default_nettype wire
