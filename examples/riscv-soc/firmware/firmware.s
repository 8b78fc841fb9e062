# Program of the SoC: greets, checks the instructions and the timer, then echoes what
# it receives while a LED beats.

# The same addresses as in src/soc_map.vh
        .equ    UART,           0x10000000
        .equ    UART_DATA,      0
        .equ    UART_STATUS,    4
        .equ    UART_READY,     1
        .equ    UART_RECEIVED,  2

        .equ    TIMER,          0x20000000
        .equ    TIMER_COUNT,    0
        .equ    TIMER_COMPARE,  4
        .equ    TIMER_EXPIRED,  8

        .equ    LEDS,           0x30000000
        .equ    LED_BEAT,       0x40
        .equ    LED_CODE,       0x3f

        .equ    FIRST_BEAT,     1 << 10         # clock cycles
        .equ    LAST_BEAT,      1 << 22
        .equ    TIMER_CHECK,    500

# Kept in registers: s0, s1, s2 the devices; s3 what the LEDs show;
# s4 when the beat changes next, s5 how long it lasts.

        .section .text.start
        .globl  start
start:
        li      s0, UART
        li      s1, TIMER
        li      s2, LEDS
        li      s3, 0
        la      a0, greeting
        jal     print

        la      a0, self_check_title
        jal     print
        jal     self_check
        jal     print_verdict

        la      a0, timer_title
        jal     print
        jal     timer_check
        jal     print_verdict

# Echo. The beat starts fast and slows down to its last pace.

        la      a0, prompt
        jal     print
        li      s5, FIRST_BEAT
        lw      s4, TIMER_COUNT(s1)
        add     s4, s4, s5
        sw      s4, TIMER_COMPARE(s1)
wait:
        lw      t0, UART_STATUS(s0)
        andi    t0, t0, UART_RECEIVED
        bnez    t0, echo
        lw      t0, TIMER_EXPIRED(s1)
        beqz    t0, wait
beat:
        xori    s3, s3, LED_BEAT
        sw      s3, 0(s2)
        li      t0, LAST_BEAT
        beq     s5, t0, 1f
        slli    s5, s5, 1
1:      add     s4, s4, s5
        sw      s4, TIMER_COMPARE(s1)
        j       wait
echo:
        lbu     a0, UART_DATA(s0)
        andi    s3, s3, LED_BEAT
        andi    t0, a0, LED_CODE
        or      s3, s3, t0
        sw      s3, 0(s2)
        jal     put
        li      t0, '!'
        bne     a0, t0, wait
        ebreak                                  # stops the core

# a0 = 0 if the timer expires when it should.
timer_check:
        lw      t0, TIMER_COUNT(s1)
        addi    t1, t0, TIMER_CHECK
        sw      t1, TIMER_COMPARE(s1)
1:      lw      t2, TIMER_EXPIRED(s1)
        beqz    t2, 1b
        lw      t2, TIMER_COUNT(s1)
        sub     t2, t2, t0                      # from TIMER_CHECK to a little more
        sltiu   a0, t2, TIMER_CHECK
        sltiu   t1, t2, TIMER_CHECK + 50
        xori    t1, t1, 1
        or      a0, a0, t1
        ret

# Prints OK if a0 is 0, else FAILED and a0 as two hexadecimal digits.
print_verdict:
        mv      s7, ra
        mv      s6, a0
        la      a0, ok
        beqz    s6, 1f
        la      a0, failed
        jal     print
        srli    a0, s6, 4
        jal     put_digit
        andi    a0, s6, 15
        jal     put_digit
        la      a0, end_of_line
1:      mv      ra, s7
        j       print

# Prints the text at a0, which ends with a zero byte.
print:
        mv      t3, ra
        mv      t4, a0
1:      lbu     a0, 0(t4)
        beqz    a0, 2f
        jal     put
        addi    t4, t4, 1
        j       1b
2:      jr      t3

# Sends the digit in a0.
put_digit:
        addi    a0, a0, '0'
        li      t0, '9'
        ble     a0, t0, put
        addi    a0, a0, 'A' - '9' - 1

# Sends the byte in a0.
put:
        lw      t0, UART_STATUS(s0)
        andi    t0, t0, UART_READY
        beqz    t0, put
        sb      a0, UART_DATA(s0)
        ret

        .section .rodata
greeting:
        .asciz  "Hello from tapeout\r\n"
self_check_title:
        .asciz  "RV32I: "
timer_title:
        .asciz  "timer: "
ok:
        .asciz  "OK\r\n"
failed:
        .asciz  "FAILED "
end_of_line:
        .asciz  "\r\n"
prompt:
        .asciz  "> "
