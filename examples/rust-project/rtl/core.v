// core: an accumulator, and a program that works on it. A word is an operation and an operand; each takes two clocks, one
// in which the memory is read and one in which it is done.

`default_nettype none

module core (
    input  wire       clk,
    output reg  [7:0] value,
    output reg        valid
);
    localparam LDI = 4'd0, ADD = 4'd1, XOR = 4'd2, ROL = 4'd3, OUT = 4'd4, JMP = 4'd5;

    reg [7:0] place = 0;
    reg [7:0] accumulator = 0;
    reg       execute = 0;

    wire [11:0] word;
    wire [3:0]  operation = word[11:8];
    wire [7:0]  operand = word[7:0];

    rom rom (.clk(clk), .address(place), .word(word));

    initial begin
        value = 0;
        valid = 0;
    end

    always @(posedge clk) begin
        execute <= !execute;
        valid <= 0;
        if (execute) begin
            place <= place + 8'd1;
            case (operation)
                LDI: accumulator <= operand;
                ADD: accumulator <= accumulator + operand;
                XOR: accumulator <= accumulator ^ operand;
                ROL: accumulator <= {accumulator[6:0], accumulator[7]};
                OUT: begin
                    value <= accumulator;
                    valid <= 1;
                end
                JMP: place <= operand;
                default: ;
            endcase
        end
    end
endmodule

`default_nettype wire
