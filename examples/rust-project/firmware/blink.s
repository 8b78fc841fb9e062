; Two groups of LEDs, by turns.

        ldi 85
again:
        out
        xor 255
        jmp again
