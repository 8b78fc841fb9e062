module router_wrap_bk (
    input  wire clk,
    input  wire flit_in,
    output reg  flit_out
);
  `include "parameters.v"
  always @(posedge clk) flit_out <= flit_in;
endmodule
