// The dot product of two vectors, two elements a cycle: one hard block for the even ones, one for the odd ones.

`default_nettype none

module dot (
    input  wire        clk,
    input  wire        clear,
    input  wire [1:0]  valid,           // which of the two elements are there
    input  wire [7:0]  a,
    input  wire [7:0]  b,
    output reg  [12:0] result,          // a cycle after the sums
    output reg  [7:0]  count            // of the products in them
);
    wire [11:0] even_sum;
    wire [11:0] odd_sum;
    wire        even_adds;
    wire        odd_adds;

    mac even (
        .clk(clk), .clear(clear), .enable(valid[0]), .a(a[3:0]), .b(b[3:0]), .adds(even_adds), .sum(even_sum)
    );
    mac odd (
        .clk(clk), .clear(clear), .enable(valid[1]), .a(a[7:4]), .b(b[7:4]), .adds(odd_adds), .sum(odd_sum)
    );

    always @(posedge clk) begin
        result <= {1'b0, even_sum} + {1'b0, odd_sum};
        count  <= clear ? 8'd0 : count + {7'd0, even_adds} + {7'd0, odd_adds};
    end
endmodule

`default_nettype wire
