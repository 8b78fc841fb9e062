"""A memory against a model of it, with addresses and words by chance."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge


@cocotb.test()
async def keeps_what_is_written(dut):
    """A word that is read is the one that was written last, before this cycle."""
    chance = random.Random(1)
    depth, width = 1 << len(dut.read_address), len(dut.write_data)
    model = {}
    cocotb.start_soon(Clock(dut.clk, 10, "step").start())
    await FallingEdge(dut.clk)
    for _ in range(4 * depth):
        write, word = chance.getrandbits(1), chance.getrandbits(width)
        write_address, read_address = chance.randrange(depth), chance.randrange(depth)
        dut.write.value = write
        dut.write_data.value = word
        dut.write_address.value = write_address
        dut.read_address.value = read_address
        await FallingEdge(dut.clk)
        if read_address in model:
            got, expected = int(dut.read_data.value), model[read_address]
            assert got == expected, f"word {read_address}: expected {expected:x}, got {got:x}"
        if write:
            model[write_address] = word
