// Counts in Gray code: one bit changes at a time.
module gray #(parameter WIDTH = 8) (
    input wire clk,
    input wire rst,
    output wire [WIDTH-1:0] code
);
    reg [WIDTH-1:0] count;

    always @(posedge clk)
        if (rst) count <= {WIDTH{1'b0}};
        else count <= count + 1'b1;

    assign code = count ^ (count >> 1);
endmodule
