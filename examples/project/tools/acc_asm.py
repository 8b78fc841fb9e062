"""The assembler of the accumulator machine.

    acc_asm.py SOURCE PROGRAM EXPECTED

Writes the program, and what it is expected to give out, in the format of $readmemh. A line is

    label:  operation operand   ; comment

or `name = value`. Comments that begin with `expect` have the words that are expected.
"""

import re
import sys

PLAIN = {"halt": 0x0, "shr": 0xA, "in": 0xB, "out": 0xC}
WITH_OPERAND = {
    "ldi": 0x1, "ld": 0x2, "st": 0x3, "add": 0x4, "sub": 0x5, "and": 0x6, "or": 0x7, "xor": 0x8, "addi": 0x9,
    "jmp": 0xD, "jz": 0xE, "jc": 0xF,
}
WORDS = 256


class Mistake(Exception):
    pass


def number(text, names):
    if text in names:
        return names[text]
    try:
        value = int(text, 0)
    except ValueError:
        raise Mistake(f"`{text}` is neither a number nor a name") from None
    if not 0 <= value <= 255:
        raise Mistake(f"{value} does not fit in 8 bits")
    return value


def encode(words, names):
    operation, operands = words[0], words[1:]
    if operation in PLAIN and not operands:
        return PLAIN[operation] << 12
    if operation in WITH_OPERAND and len(operands) == 1:
        return WITH_OPERAND[operation] << 12 | number(operands[0], names)
    if operation in PLAIN or operation in WITH_OPERAND:
        wanted = "none" if operation in PLAIN else "one"
        raise Mistake(f"`{operation}` has {len(operands)} operands, and takes {wanted}")
    raise Mistake(f"there is no operation `{operation}`")


def assemble(text):
    """Gives the words of the program and the words that are expected."""
    names, expected, instructions = {}, [], []
    at = 0
    try:
        for at, line in enumerate(text.splitlines(), 1):
            code, _, comment = line.partition(";")
            if comment.strip().startswith("expect "):
                expected += [number(word, {}) for word in comment.split()[1:]]
            label = re.match(r"\s*(\w+):", code)
            if label:
                names[label[1]] = len(instructions)
                code = code[label.end():]
            constant = re.fullmatch(r"\s*(\w+)\s*=\s*(\w+)\s*", code)
            if constant:
                names[constant[1]] = number(constant[2], names)
            elif code.strip():
                instructions.append((at, code.lower().split()))
        program = []
        for at, words in instructions:
            program.append(encode(words, names))
        if len(program) > WORDS:
            raise Mistake(f"the program has {len(program)} words, the memory {WORDS}")
    except Mistake as mistake:
        raise Mistake(f"{at}: {mistake}") from None
    return program, expected


def main():
    source, program_file, expected_file = sys.argv[1:]
    with open(source) as file:
        text = file.read()
    try:
        program, expected = assemble(text)
    except Mistake as mistake:
        sys.exit(f"{source}:{mistake}")
    with open(program_file, "w") as file:
        # As many words as the memory has: what is not used halts.
        file.writelines(f"{word:04x}\n" for word in program + [0] * (WORDS - len(program)))
    with open(expected_file, "w") as file:
        file.writelines(f"{word:02x}\n" for word in expected)
    print(f"{len(program)} words, {len(expected)} outputs")


main()
