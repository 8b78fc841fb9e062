// The 32 registers: two synchronous read ports and one write port, so that they fit
// in block RAM (two copies). x0 is zero because nothing writes it.

`default_nettype none

module rv32i_registers (
    input  wire        clk,
    input  wire        read,
    input  wire [4:0]  rs1,
    input  wire [4:0]  rs2,
    output reg  [31:0] rs1_value,       // from the cycle after `read` to the next `read`
    output reg  [31:0] rs2_value,
    input  wire        write,
    input  wire [4:0]  rd,
    input  wire [31:0] rd_value
);
    reg [31:0] x [0:31];

    integer i;
    initial
        for (i = 0; i < 32; i = i + 1)
            x[i] = 32'd0;

    always @(posedge clk) begin
        if (read) begin
            rs1_value <= x[rs1];
            rs2_value <= x[rs2];
        end
        if (write && rd != 5'd0)
            x[rd] <= rd_value;
    end
endmodule

`default_nettype wire
