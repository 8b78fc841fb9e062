; Each operation on data once, with its carry.
; expect 8 1 255 1 240 0xfa 10 5 1 0

        ldi  3
        st   x
        ldi  5
        add  x
        out                 ; 5 + 3
        ldi  255
        st   y
        ldi  2
        add  y
        out                 ; 2 + 255 = 1, carry
        jc   carried
        halt
carried:
        ldi  2
        sub  x
        out                 ; 2 - 3 = 255, borrow
        jc   borrowed
        halt
borrowed:
        ldi  0
        addi 1
        out
        jc   wrong          ; no carry
        ldi  0xf0
        and  y
        out
        ldi  0x0a
        st   x
        ldi  0xf0
        or   x
        out
        xor  z
        ldi  0x0a
        out
        shr
        out                 ; 5
        shr
        shr
        out                 ; 1
        shr
        jc   last
wrong:  halt
last:   out                 ; 0
        halt

x = 0
y = 1
z = 2
