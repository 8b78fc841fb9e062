// Multiplies two numbers in each cycle in which it is told to, and adds up the products.

`default_nettype none

module mac (
    input  wire        clk,
    input  wire        clear,
    input  wire        enable,
    input  wire [3:0]  a,
    input  wire [3:0]  b,
    output wire        adds,            // whether the product of this cycle counts
    output reg  [11:0] sum
);
    wire [7:0] product = a * b;

    assign adds = enable & ~clear;

    always @(posedge clk)
        if (clear)
            sum <= 12'd0;
        else if (enable)
            sum <= sum + {4'd0, product};
endmodule

`default_nettype wire
