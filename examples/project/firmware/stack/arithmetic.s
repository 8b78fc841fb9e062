; Each operation on the stack once.
; expect 8 0xfffe 2 7 5 4 1 0 0 1 0x7fff

        5
        3
        add
        out
        1
        3
        sub
        out                 ; 1 - 3
        6
        3
        and
        out
        6
        3
        or
        out
        6
        3
        xor
        out
        9
        shr
        out
        1
        2
        less
        out
        2
        1
        less
        out
        1
        2
        equal
        out
        2
        2
        equal
        out
        0x7fff
        out
        halt
