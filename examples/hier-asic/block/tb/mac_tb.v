// Self-checking bench of mac. It looks at the pins only, so the same bench checks the source and the routed netlist.

`timescale 1ns / 1ps
`default_nettype none

module mac_tb;
    reg         clk = 0;
    reg         clear = 1;
    reg         enable = 0;
    reg  [3:0]  a = 0;
    reg  [3:0]  b = 0;
    wire        adds;
    wire [11:0] sum;

    mac dut (.clk(clk), .clear(clear), .enable(enable), .a(a), .b(b), .adds(adds), .sum(sum));

    always #10 clk = ~clk;

    integer    cycle;
    reg [11:0] expected;

    initial begin
        expected = 0;
        repeat (2) @(negedge clk);
        for (cycle = 0; cycle < 300; cycle = cycle + 1) begin
            {enable, a, b} = $random;
            clear = cycle % 100 == 0;
            #1 if (adds !== (enable & ~clear)) begin
                $display("ERROR: adds is %b with enable %b and clear %b", adds, enable, clear);
                $fatal(1);
            end
            expected = clear ? 0 : enable ? expected + a * b : expected;
            @(negedge clk);
            if (sum !== expected) begin
                $display("ERROR: cycle %0d: expected %0d, got %0d", cycle, expected, sum);
                $fatal(1);
            end
        end
        $display("PASS: %0d cycles", cycle);
        $finish;
    end
endmodule

`default_nettype wire
