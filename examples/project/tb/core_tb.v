// Lets a core run its program until it halts, and compares what it gives out with what is expected.
// CORE and WIDTH say which core it is. Its input is the number of words that it has given out so far.

`timescale 1ns / 1ps
`default_nettype none

module core_tb;
    parameter PROGRAM = "";
    parameter EXPECTED = "";
    parameter COUNT = 1;
    parameter LIMIT = 100000;     // cycles

    reg clk = 1'b0;
    reg reset = 1'b1;
    wire [`WIDTH-1:0] out;
    wire strobe;
    wire halted;

    reg [`WIDTH-1:0] expected [0:COUNT-1];
    integer given = 0;
    integer cycles = 0;

    `CORE #(.PROGRAM(PROGRAM)) core (
        .clk(clk), .reset(reset), .in(given[7:0]), .out(out), .strobe(strobe), .halted(halted)
    );

    always #5 clk = !clk;

    initial begin
        $readmemh(EXPECTED, expected);
        repeat (2) @(negedge clk);
        reset = 1'b0;
    end

    always @(negedge clk) if (!reset) begin
        cycles = cycles + 1;
        if (strobe) begin
            if (given == COUNT) $fatal(1, "output %0d: none expected, got %h", given, out);
            if (out !== expected[given]) $fatal(1, "output %0d: expected %h, got %h", given, expected[given], out);
            given = given + 1;
        end
        if (halted) begin
            if (given != COUNT) $fatal(1, "halted after %0d of %0d outputs", given, COUNT);
            $display("PASS: %0d outputs, %0d cycles", given, cycles);
            $finish;
        end
        if (cycles == LIMIT) $fatal(1, "still running after %0d cycles and %0d of %0d outputs", cycles, given, COUNT);
    end
endmodule

`default_nettype wire
