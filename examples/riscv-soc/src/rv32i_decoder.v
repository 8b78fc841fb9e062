// Decoder: what kind of instruction it is, whether RV32I has it, its immediate.
// FENCE is legal and none of the kinds; ECALL and EBREAK are not legal here, as the
// core stops at them.

`default_nettype none

module rv32i_decoder (
    input  wire [31:0] instruction,
    output wire        is_lui,
    output wire        is_auipc,
    output wire        is_jal,
    output wire        is_jalr,
    output wire        is_branch,
    output wire        is_load,
    output wire        is_store,
    output wire        is_op,           // register with register; not with an immediate
    output wire        has_result,      // writes a register, and not from the bus
    output wire        alternate,       // SUB for ADD, SRA for SRL
    output reg         legal,
    output reg  [31:0] immediate
);
    localparam [6:0] LUI    = 7'b0110111,
                     AUIPC  = 7'b0010111,
                     JAL    = 7'b1101111,
                     JALR   = 7'b1100111,
                     BRANCH = 7'b1100011,
                     LOAD   = 7'b0000011,
                     STORE  = 7'b0100011,
                     OP_IMM = 7'b0010011,
                     OP     = 7'b0110011,
                     FENCE  = 7'b0001111;

    localparam [2:0] ADD = 3'b000, SLL = 3'b001, SRL = 3'b101;

    wire [6:0] opcode = instruction[6:0];
    wire [2:0] funct3 = instruction[14:12];
    wire [6:0] funct7 = instruction[31:25];

    assign is_lui    = opcode == LUI;
    assign is_auipc  = opcode == AUIPC;
    assign is_jal    = opcode == JAL;
    assign is_jalr   = opcode == JALR;
    assign is_branch = opcode == BRANCH;
    assign is_load   = opcode == LOAD;
    assign is_store  = opcode == STORE;
    assign is_op     = opcode == OP;

    assign has_result = is_lui || is_auipc || is_jal || is_jalr || is_op || opcode == OP_IMM;

    // ADDI has no room for this bit: there it belongs to the immediate.
    assign alternate = instruction[30] && (is_op || funct3 == SRL);

    wire funct7_zero      = funct7 == 7'b0000000;
    wire funct7_alternate = funct7 == 7'b0100000;

    always @* begin
        case (opcode)
            LUI, AUIPC, JAL, FENCE:
                legal = 1'b1;
            JALR:
                legal = funct3 == 3'b000;
            BRANCH:
                legal = funct3[2:1] != 2'b01;
            LOAD:
                legal = funct3 != 3'b011 && funct3 != 3'b110 && funct3 != 3'b111;
            STORE:
                legal = funct3 == 3'b000 || funct3 == 3'b001 || funct3 == 3'b010;
            OP:
                legal = funct7_zero || (funct7_alternate && (funct3 == ADD || funct3 == SRL));
            OP_IMM:
                legal = (funct3 != SLL && funct3 != SRL) || funct7_zero
                     || (funct7_alternate && funct3 == SRL);
            default:
                legal = 1'b0;
        endcase
    end

    wire sign = instruction[31];

    always @* begin
        case (opcode)
            LUI, AUIPC:
                immediate = {instruction[31:12], 12'b0};
            JAL:
                immediate = {{12{sign}}, instruction[19:12], instruction[20], instruction[30:21], 1'b0};
            BRANCH:
                immediate = {{20{sign}}, instruction[7], instruction[30:25], instruction[11:8], 1'b0};
            STORE:
                immediate = {{21{sign}}, instruction[30:25], instruction[11:7]};
            default:
                immediate = {{21{sign}}, instruction[30:20]};
        endcase
    end
endmodule

`default_nettype wire
