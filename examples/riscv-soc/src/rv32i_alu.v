// Arithmetic and logic unit, with the comparisons of the branches.
// Combinational; `funct3` is read as an operation for `result` and as a condition for
// `branch_taken`.

`default_nettype none

module rv32i_alu (
    input  wire [31:0] a,
    input  wire [31:0] b,
    input  wire [2:0]  funct3,
    input  wire        alternate,       // SUB for ADD, SRA for SRL
    output reg  [31:0] result,
    output reg         branch_taken
);
    localparam [2:0] ADD = 3'b000, SLL = 3'b001, SLT = 3'b010, SLTU = 3'b011,
                     XOR = 3'b100, SRL = 3'b101, OR  = 3'b110, AND  = 3'b111;

    localparam [2:0] BEQ = 3'b000, BNE = 3'b001, BLT = 3'b100,
                     BGE = 3'b101, BLTU = 3'b110, BGEU = 3'b111;

    wire [32:0] difference    = {1'b0, a} - {1'b0, b};
    wire        less_unsigned = difference[32];
    wire        less_signed   = a[31] == b[31] ? less_unsigned : a[31];
    wire        equal         = a == b;

    // One shifter, to the right; a shift to the left is done in the mirror.

    function [31:0] mirror(input [31:0] word);
        integer i;
        for (i = 0; i < 32; i = i + 1)
            mirror[i] = word[31 - i];
    endfunction

    wire        shift_left = funct3 == SLL;
    wire        fill       = alternate && a[31];
    wire [31:0] shift_in   = shift_left ? mirror(a) : a;
    wire [32:0] shifted    = $signed({fill, shift_in}) >>> b[4:0];

    wire unused_fill = &{1'b0, shifted[32]};

    always @* begin
        case (funct3)
            ADD:  result = alternate ? difference[31:0] : a + b;
            SLL:  result = mirror(shifted[31:0]);
            SLT:  result = {31'b0, less_signed};
            SLTU: result = {31'b0, less_unsigned};
            XOR:  result = a ^ b;
            SRL:  result = shifted[31:0];
            OR:   result = a | b;
            AND:  result = a & b;
        endcase
    end

    always @* begin
        case (funct3)
            BEQ:     branch_taken = equal;
            BNE:     branch_taken = !equal;
            BLT:     branch_taken = less_signed;
            BGE:     branch_taken = !less_signed;
            BLTU:    branch_taken = less_unsigned;
            BGEU:    branch_taken = !less_unsigned;
            default: branch_taken = 1'b0;
        endcase
    end
endmodule

`default_nettype wire
