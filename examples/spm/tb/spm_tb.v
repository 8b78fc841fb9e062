// Self-checking bench of spm: corner cases and random numbers. It looks at the pins only, so the same bench checks the
// source and the routed netlist.

`timescale 1ns / 1ps
`default_nettype none

module spm_tb;
    localparam WIDTH = 32;
    localparam RANDOM = 40;

    reg              clk = 0;
    reg              rst = 1;
    reg  [WIDTH-1:0] x = 0;
    reg              y = 0;
    wire             p;

    spm dut (.clk(clk), .rst(rst), .x(x), .y(y), .p(p));

    always #5 clk = ~clk;

    integer             bit_number;
    integer             round;
    reg [2*WIDTH-1:0]   product;

    // Inputs change and the output is read at the falling edge, half a cycle from what the design does.
    task multiply(input [WIDTH-1:0] a, input [WIDTH-1:0] b);
        begin
            @(negedge clk) rst = 1;
            x = a;
            y = 0;
            @(negedge clk) rst = 0;
            for (bit_number = 0; bit_number < 2 * WIDTH; bit_number = bit_number + 1) begin
                y = bit_number < WIDTH ? b[bit_number] : 1'b0;
                @(negedge clk) product[bit_number] = p;
            end
            if (product !== a * {{WIDTH{1'b0}}, b}) begin
                $display("ERROR: expected %0d * %0d = %0d, got %0d", a, b, a * {{WIDTH{1'b0}}, b}, product);
                $fatal(1);
            end
        end
    endtask

    initial begin
        multiply(0, 0);
        multiply(1, 1);
        multiply(32'hffffffff, 32'hffffffff);
        multiply(32'h80000000, 2);
        multiply(32'h55555555, 32'haaaaaaaa);
        for (round = 0; round < RANDOM; round = round + 1)
            multiply($random, $random);
        $display("PASS: %0d products", 5 + RANDOM);
        $finish;
    end
endmodule

`default_nettype wire
