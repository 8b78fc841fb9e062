; The numbers of Fibonacci that fit in 8 bits.
; expect 1 1 2 3 5 8 13 21 34 55 89 144 233

        ldi  0
        st   previous
        ldi  1
        st   current
next:   ld   current
        out
        add  previous
        jc   end            ; does not fit any more
        st   sum
        ld   current
        st   previous
        ld   sum
        st   current
        jmp  next
end:    halt

previous = 0
current  = 1
sum      = 2
