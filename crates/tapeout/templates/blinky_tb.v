// Self-checking bench: the LEDs must count up by one, three times at least.
//
// It looks at the pins only, so that it can also check the netlist that is read back
// from the bitstream. There the divider is built in, hence the large budget.

`timescale 1ns / 1ps
`default_nettype none

module blinky_tb;
    localparam BUDGET = 800_000;    // clock cycles
    localparam WANTED = 3;          // changes of the LEDs

    reg        clk = 0;
    wire [4:0] leds;

    blinky #(.DIVIDER(12)) dut (.clk(clk), .leds(leds));

    always #41.667 clk = ~clk;

    integer   cycle = 0;
    reg [4:0] count = 0;

    // The LEDs change after the rising edge and are looked at before the next one.
    always @(negedge clk) begin
        cycle = cycle + 1;
        if (leds === count + 5'd1)
            count = leds;
        if (leds !== count) begin
            $display("ERROR: expected leds %b or %b, got %b in cycle %0d", count, count + 5'd1, leds, cycle);
            $fatal(1);
        end
        if (cycle == BUDGET) begin
            $display("ERROR: expected %0d counts in %0d cycles, got %0d", WANTED, BUDGET, count);
            $fatal(1);
        end
        if (count == WANTED) begin
            $display("PASS: %0d counts in %0d cycles", count, cycle);
            $finish;
        end
    end
endmodule

`default_nettype wire
