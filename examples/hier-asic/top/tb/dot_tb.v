// Self-checking bench of dot. It looks at the pins only, so the same bench checks the source and the routed netlist.

`timescale 1ns / 1ps
`default_nettype none

module dot_tb;
    reg         clk = 0;
    reg         clear = 1;
    reg  [1:0]  valid = 0;
    reg  [7:0]  a = 0;
    reg  [7:0]  b = 0;
    wire [12:0] result;
    wire [7:0]  count;

    dot dut (.clk(clk), .clear(clear), .valid(valid), .a(a), .b(b), .result(result), .count(count));

    always #10 clk = ~clk;

    integer    cycle;
    reg [11:0] even;
    reg [11:0] odd;
    reg [12:0] expected;
    reg [7:0]  products;

    initial begin
        {even, odd, products} = 0;
        repeat (2) @(negedge clk);
        for (cycle = 0; cycle < 300; cycle = cycle + 1) begin
            {valid, a, b} = $random;
            clear = cycle % 100 == 0;
            expected = {1'b0, even} + {1'b0, odd};
            even = clear ? 0 : valid[0] ? even + a[3:0] * b[3:0] : even;
            odd = clear ? 0 : valid[1] ? odd + a[7:4] * b[7:4] : odd;
            products = clear ? 0 : products + valid[0] + valid[1];
            @(negedge clk);
            if (result !== expected || count !== products) begin
                $display("ERROR: cycle %0d: expected %0d of %0d, got %0d of %0d", cycle, expected, products, result, count);
                $fatal(1);
            end
        end
        $display("PASS: %0d cycles", cycle);
        $finish;
    end
endmodule

`default_nettype wire
