// Multiplies a word by a number that comes bit by bit, lowest bit first; the product leaves bit by bit, too.
module spm #(parameter WIDTH = 16) (
    input wire clk,
    input wire rst,
    input wire [WIDTH-1:0] x,
    input wire y,
    output wire p
);
    // What of the product is still to come.
    reg [WIDTH:0] rest;
    wire [WIDTH:0] sum = {1'b0, rest[WIDTH:1]} + (y ? {1'b0, x} : {(WIDTH + 1){1'b0}});

    always @(posedge clk)
        if (rst) rest <= {(WIDTH + 1){1'b0}};
        else rest <= sum;

    assign p = rest[0];
endmodule
