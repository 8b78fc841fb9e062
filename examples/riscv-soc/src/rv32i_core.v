// RV32I core: multi-cycle, three clock cycles an instruction, four a load.
//
//   FETCH     the program counter is on the bus
//   DECODE    the instruction arrives and selects the source registers
//   EXECUTE   the operands arrive; result, next program counter and data address are made
//   LOAD      the loaded word arrives
//   HALT      until reset
//
// FENCE does nothing: one master, no cache. There are no traps: ECALL, EBREAK, an
// instruction outside RV32I and a misaligned address stop the core.

`default_nettype none

module rv32i_core (
    input  wire        clk,
    input  wire        reset,
    output wire [31:2] bus_address,
    output wire        bus_read,
    output wire [3:0]  bus_write,       // one bit a byte
    output wire [31:0] bus_write_data,
    input  wire [31:0] bus_read_data,   // in the cycle after `bus_read`
    output wire        halted
);
    localparam [4:0] FETCH   = 5'b00001,
                     DECODE  = 5'b00010,
                     EXECUTE = 5'b00100,
                     LOAD    = 5'b01000,
                     HALT    = 5'b10000;

    reg [4:0]  state;
    reg [31:0] pc;
    reg [31:0] instruction;

    wire fetching  = state == FETCH;
    wire executing = state == EXECUTE;
    wire loading   = state == LOAD;
    assign halted  = state == HALT;

    // Decode

    wire [4:0] rd     = instruction[11:7];
    wire [2:0] funct3 = instruction[14:12];

    wire is_lui, is_auipc, is_jal, is_jalr, is_branch, is_load, is_store, is_op;
    wire has_result;
    wire alternate;
    wire legal;
    wire [31:0] immediate;

    rv32i_decoder decoder (
        .instruction (instruction),
        .is_lui      (is_lui),
        .is_auipc    (is_auipc),
        .is_jal      (is_jal),
        .is_jalr     (is_jalr),
        .is_branch   (is_branch),
        .is_load     (is_load),
        .is_store    (is_store),
        .is_op       (is_op),
        .has_result  (has_result),
        .alternate   (alternate),
        .legal       (legal),
        .immediate   (immediate)
    );

    // Registers are read while the instruction is on the bus, a cycle before it is decoded.

    wire [31:0] rs1_value;
    wire [31:0] rs2_value;
    wire        rd_write;
    wire [31:0] rd_value;

    rv32i_registers registers (
        .clk        (clk),
        .read       (state == DECODE),
        .rs1        (bus_read_data[19:15]),
        .rs2        (bus_read_data[24:20]),
        .rs1_value  (rs1_value),
        .rs2_value  (rs2_value),
        .write      (rd_write),
        .rd         (rd),
        .rd_value   (rd_value)
    );

    // Execute

    wire [31:0] alu_result;
    wire        branch_taken;

    rv32i_alu alu (
        .a            (rs1_value),
        .b            (is_op || is_branch ? rs2_value : immediate),
        .funct3       (funct3),
        .alternate    (alternate),
        .result       (alu_result),
        .branch_taken (branch_taken)
    );

    wire [31:0] pc_next      = pc + 32'd4;
    wire [31:0] pc_relative  = pc + immediate;
    wire [31:0] rs1_relative = rs1_value + immediate;

    wire jumps = is_jal || is_jalr || (is_branch && branch_taken);
    wire [31:0] target = !jumps  ? pc_next
                       : is_jalr ? {rs1_relative[31:1], 1'b0}
                       :           pc_relative;

    wire misaligned_data = (is_load || is_store)
                        && ((funct3[1:0] == 2'b01 && rs1_relative[0])
                         || (funct3[1:0] == 2'b10 && rs1_relative[1:0] != 2'b00));
    wire misaligned_jump = jumps && target[1];

    // Kept apart for speed: loads and stores need not wait for the branch comparison.
    wire valid = legal && !misaligned_data;
    wire stops = !valid || misaligned_jump;

    // Bus

    wire [3:0]  store_bytes;
    wire [31:0] load_value;

    rv32i_lanes lanes (
        .offset      (rs1_relative[1:0]),
        .funct3      (funct3),
        .store_value (rs2_value),
        .store_bytes (store_bytes),
        .store_word  (bus_write_data),
        .load_word   (bus_read_data),
        .load_value  (load_value)
    );

    assign bus_address = fetching ? pc[31:2] : rs1_relative[31:2];
    assign bus_read    = fetching || (executing && is_load && valid);
    assign bus_write   = executing && is_store && valid ? store_bytes : 4'b0000;

    // Write back. rs1 and the immediate hold still from EXECUTE to LOAD, so the
    // lanes know the offset in both.

    assign rd_write = loading || (executing && has_result && !stops);
    assign rd_value = loading           ? load_value
                    : is_lui            ? immediate
                    : is_auipc          ? pc_relative
                    : is_jal || is_jalr ? pc_next
                    :                     alu_result;

    always @(posedge clk) begin
        case (state)
            FETCH:
                state <= DECODE;
            DECODE: begin
                instruction <= bus_read_data;
                state       <= EXECUTE;
            end
            EXECUTE: begin
                if (stops)
                    state <= HALT;
                else begin
                    pc    <= target;
                    state <= is_load ? LOAD : FETCH;
                end
            end
            LOAD:
                state <= FETCH;
            default:
                state <= HALT;
        endcase
        if (reset) begin
            state <= FETCH;
            pc    <= 32'd0;
        end
    end
endmodule

`default_nettype wire
