# Self-check of every RV32I instruction that returns (all but ECALL and EBREAK).
#
# self_check returns 0 in a0, or the number of the first check that failed; a0 counts
# them on the way. Uses a1 to a5, t0 and t1.

        .equ    A, 0x80f0a5c3                   # operands: one negative,
        .equ    B, 0x1234567c                   # one positive; B as shift amount: 28

        # The next check: `register` must hold `value`.
        .macro  expect register, value
        addi    a0, a0, 1
        li      t0, \value
        bne     \register, t0, done
        .endm

        # An instruction with two registers, on A and B.
        .macro  check_registers operation, value
        \operation      a3, a1, a2
        expect  a3, \value
        .endm

        # An instruction with register A and an immediate.
        .macro  check_immediate operation, immediate, value
        \operation      a3, a1, \immediate
        expect  a3, \value
        .endm

        # A branch that must be taken, and one with the same operands that must not.
        .macro  check_branches taken, not_taken, first, second
        addi    a0, a0, 1
        \taken  \first, \second, 1f
        j       done
1:      addi    a0, a0, 1
        \not_taken      \first, \second, done
        .endm

        # A load from the offset in `scratch`.
        .macro  check_load operation, offset, value
        \operation      a3, \offset(a4)
        expect  a3, \value
        .endm

        .text
        .globl  self_check
self_check:
        li      a0, 0
        li      a1, A                           # LUI and ADDI
        li      a2, B

        # 1: ADDI, SLTI, SLTIU, XORI, ORI, ANDI, SLLI, SRLI, SRAI
        check_immediate addi,  -1366,  0x80f0a06d
        check_immediate slti,  -1,     1
        check_immediate slti,  2047,   1
        check_immediate sltiu, 2047,   0
        check_immediate sltiu, -1,     1
        check_immediate xori,  -1,     0x7f0f5a3c
        check_immediate ori,   0x70f,  0x80f0a7cf
        check_immediate andi,  -256,   0x80f0a500
        check_immediate slli,  5,      0x1e14b860
        check_immediate srli,  5,      0x0407852e
        check_immediate srai,  5,      0xfc07852e
        check_immediate slli,  31,     0x80000000
        check_immediate srai,  31,     0xffffffff

        # 14: ADD, SUB, SLT, SLTU, XOR, OR, AND, SLL, SRL, SRA
        check_registers add,  0x9324fc3f
        check_registers sub,  0x6ebc4f47
        check_registers slt,  1
        check_registers sltu, 0
        check_registers xor,  0x92c4f3bf
        check_registers or,   0x92f4f7ff
        check_registers and,  0x00300440
        check_registers sll,  0x30000000
        check_registers srl,  0x00000008
        check_registers sra,  0xfffffff8

        # 24: x0 stays zero
        addi    x0, a1, 1
        mv      a3, x0
        expect  a3, 0

        # 25: branches
        check_branches  beq,  bne,  a1, a1
        check_branches  bne,  beq,  a1, a2
        check_branches  blt,  bge,  a1, a2
        check_branches  bge,  blt,  a2, a1
        check_branches  bltu, bgeu, a2, a1
        check_branches  bgeu, bltu, a1, a2
        check_branches  bge,  blt,  a1, a1
        check_branches  bgeu, bltu, a1, a1

        # 41: LUI, AUIPC, JAL, JALR; the return address is where the next instruction is
        lui     a3, 0xfedcb
        expect  a3, 0xfedcb000
        auipc   a3, 0
        auipc   a4, 1
        sub     a3, a4, a3
        expect  a3, 0x1004
        jal     a3, 2f
1:      j       done
2:      la      a4, 1b
        sub     a3, a3, a4
        expect  a3, 0
        la      a4, 3f + 1                      # JALR clears the lowest bit
        jalr    a3, 0(a4)
2:      j       done
3:      la      a4, 2b
        sub     a3, a3, a4
        expect  a3, 0

        # 45: SW, SH, SB, LW, LH, LHU, LB, LBU, at each offset
        la      a4, scratch
        sw      a1, 0(a4)
        sw      a2, 4(a4)
        check_load lw,  0, A
        check_load lw,  4, B
        check_load lh,  0, 0xffffa5c3
        check_load lh,  2, 0xffff80f0
        check_load lh,  4, 0x0000567c
        check_load lhu, 0, 0x0000a5c3
        check_load lhu, 2, 0x000080f0
        check_load lb,  0, 0xffffffc3
        check_load lb,  1, 0xffffffa5
        check_load lb,  2, 0xfffffff0
        check_load lb,  3, 0xffffff80
        check_load lb,  4, 0x0000007c
        check_load lbu, 1, 0x000000a5
        check_load lbu, 3, 0x00000080
        sb      a2, 1(a4)
        check_load lw,  0, 0x80f07cc3
        sb      a2, 3(a4)
        check_load lw,  0, 0x7cf07cc3
        sh      a2, 2(a4)
        check_load lw,  0, 0x567c7cc3
        sh      a1, 0(a4)
        sb      a1, 2(a4)
        check_load lw,  0, 0x56c3a5c3
        addi    a5, a4, 8
        check_load lw,  4, B                    # the neighbour was left alone
        lw      a3, -8(a5)
        expect  a3, 0x56c3a5c3

        # 65: FENCE
        fence
        expect  a1, A

        li      a0, 0
done:
        ret

        .data
        .balign 4
scratch:
        .word   0, 0
