; One LED after the other.

        ldi 1
again:
        out
        rol
        jmp again
