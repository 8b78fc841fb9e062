module alu_ver (
    input  logic       clk,
    input  logic       subtract,
    input  logic [7:0] a,
    input  logic [7:0] b,
    output logic [7:0] y
);
  always_ff @(posedge clk) y <= subtract ? a - b : a + b;
endmodule
