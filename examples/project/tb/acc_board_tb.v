// What the accumulator machine gives out on its pins, from power-up on. The flow runs this on the sources, and again on
// the netlist that it reads back from the bitstream.

`timescale 1ns / 1ps
`default_nettype none

module acc_board_tb;
    reg clk = 1'b0;
    wire [7:0] out;
    wire strobe;
    wire halted;

    reg [7:0] expected [0:255];
    integer given = 0;
    integer cycles = 0;

    acc_board board (.clk(clk), .in(8'd0), .out(out), .strobe(strobe), .halted(halted));

    always #10 clk = !clk;

    initial $readmemh("expected.hex", expected);

    always @(negedge clk) begin
        cycles = cycles + 1;
        if (strobe === 1'b1) begin
            if (out !== expected[given]) $fatal(1, "output %0d: expected %h, got %h", given, expected[given], out);
            given = given + 1;
        end
        if (halted === 1'b1) begin
            if (expected[given] !== 8'hxx) $fatal(1, "halted before output %0d, %h", given, expected[given]);
            $display("PASS: %0d outputs, %0d cycles", given, cycles);
            $finish;
        end
        if (cycles == 100000) $fatal(1, "still running after %0d cycles and %0d outputs", cycles, given);
    end
endmodule

`default_nettype wire
