// correlator: in how many of the last LENGTH samples each of eight bits agreed with its pattern.

`default_nettype none

module correlator #(
    parameter LENGTH = 48
) (
    input  wire       clk,
    input  wire [7:0] samples,
    output reg  [8:0] score
);
    reg [8*LENGTH-1:0] history = 0;

    // Any pattern will do that has ones and zeros.
    localparam [8*LENGTH-1:0] PATTERN = {LENGTH{8'b1011_0010}};
    wire [8*LENGTH-1:0] agree = ~(history ^ PATTERN);

    integer i;
    reg [8:0] sum;
    always @* begin
        sum = 0;
        for (i = 0; i < 8 * LENGTH; i = i + 1)
            sum = sum + {8'd0, agree[i]};
    end

    always @(posedge clk) begin
        history <= {history[8*LENGTH-9:0], samples};
        score <= sum;
    end
endmodule

`default_nettype wire
