; Calls within calls, and the input.
; expect 3 21 3 0

        3
        dup
        out
        call six
        call twice_less     ; 7 * 3
        out
        in                  ; two words are out by now
        1
        add
        out
        0
        jz   taken
        99
        out
taken:  0
        out
        halt

; n -- 2n
double: dup
        add
        ret

; n -- n 2n
six:    dup
        call double
        ret

; n m -- 2m+2n+n
twice_less:
        call double         ; n 2m
        over                ; n 2m n
        call double         ; n 2m 2n
        add
        add
        ret
