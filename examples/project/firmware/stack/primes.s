; The primes below 60, by division with what is smaller.
; expect 2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59

        2
next:   dup
        60
        less
        jz   end
        call prime          ; n 0|1
        jz   skip
        dup
        out
skip:   1
        add
        jmp  next
end:    halt

; n -- n 0|1
prime:  2                   ; n d
try:    over
        over
        equal
        jz   divide
        drop
        1
        ret
divide: over                ; n d n
subtract:
        over                ; n d r d
        sub                 ; n d r-d
        dup
        jz   composite
        dup
        0x7fff
        less                ; 0 below zero, as numbers have no sign
        jz   indivisible
        jmp  subtract
indivisible:
        drop
        1
        add
        jmp  try
composite:
        drop
        drop
        0
        ret
