; Words change places; words below stay where they are.
; expect 2 1 3 4 3 4 4 30 10 20

        10
        20
        30
        1
        2
        swap                ; 2 1
        swap                ; 1 2
        out
        out
        3
        4
        over                ; 3 4 3
        out
        dup                 ; 3 4 4
        out
        drop                ; 3
        out
        4
        dup
        out
        out
        out
        swap
        out
        out
        halt
