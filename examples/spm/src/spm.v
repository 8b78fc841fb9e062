// Multiplies two unsigned numbers: one is there as a whole, the other comes bit by bit with the lowest first, and so does
// the product. Sums and carries are kept apart (carry save), so the longest path is one full adder however wide it is.

`default_nettype none

module spm #(
    parameter WIDTH = 32
) (
    input  wire             clk,
    input  wire             rst,            // before each multiplication
    input  wire [WIDTH-1:0] x,              // held while the product comes
    input  wire             y,              // WIDTH bits, then WIDTH zeros
    output wire             p               // 2 * WIDTH bits, each a cycle after that of y
);
    reg [WIDTH-1:0] sum;
    reg [WIDTH-1:0] carry;

    wire [WIDTH-1:0] addend  = x & {WIDTH{y}};
    wire [WIDTH-1:0] shifted = {1'b0, sum[WIDTH-1:1]};

    assign p = sum[0];

    always @(posedge clk) begin
        if (rst) begin
            sum   <= {WIDTH{1'b0}};
            carry <= {WIDTH{1'b0}};
        end else begin
            sum   <= addend ^ shifted ^ carry;
            carry <= (addend & shifted) | (addend & carry) | (shifted & carry);
        end
    end
endmodule

`default_nettype wire
