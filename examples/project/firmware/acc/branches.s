; Jumps that are taken and jumps that are not; the input is the number of outputs so far.
; expect 0 1 2 3 3 2 1 42

up:     in
        out
        st   count
        ldi  3
        sub  count
        jz   down
        jmp  up
down:   ld   count
        jz   end
        out
        ldi  1
        st   one
        ld   count
        sub  one
        st   count
        jmp  down
end:    ldi  1
        jz   wrong
        ldi  42
        out
wrong:  halt

count = 7
one   = 0xff
