// Self-checking bench of blinky.
//
// It looks at the pins only, so the same bench checks the source and the
// netlist read back from the bitstream. The netlist has its divider built in,
// hence the bench measures how long a count is shown instead of assuming it,
// and checks as many counts as fit in its budget: all 32 of the source (and the
// return to zero), the first few of the netlist.

`timescale 1ns / 1ps
`default_nettype none

module blinky_tb;
    localparam CYCLE_BUDGET = 800_000;
    localparam MAX_COUNTS   = 33;
    localparam MIN_COUNTS   = 3;

    reg        clk = 0;
    wire [4:0] leds;

`ifdef POST_LAYOUT
    blinky dut (.clk(clk), .leds(leds));
`else
    blinky #(.DIVIDER(12)) dut (.clk(clk), .leds(leds));
`endif

    always #41.667 clk = ~clk;

    integer   cycle = 0;            // rising edges so far
    integer   counts = 0;           // changes of the LEDs so far
    integer   last_change = 0;
    integer   period = 0;           // cycles the first count was shown
    reg [4:0] expected = 0;

    task finish;
        begin
            if (counts < MIN_COUNTS) begin
                $display("ERROR: expected at least %0d changes of the LEDs in %0d cycles, got %0d",
                         MIN_COUNTS, cycle, counts);
                $fatal(1);
            end
            $display("PASS: %0d counts of %0d cycles each", counts, period);
            $finish;
        end
    endtask

    // Outputs change after the rising edge and are read at the falling one.
    always @(posedge clk) cycle <= cycle + 1;

    always @(negedge clk) begin
        if (leds !== expected) begin
            if (leds !== expected + 5'd1) begin
                $display("ERROR: expected leds %b or %b, got %b in cycle %0d",
                         expected, expected + 5'd1, leds, cycle);
                $fatal(1);
            end
            if (counts == 0)
                period = cycle;
            else if (cycle - last_change != period) begin
                $display("ERROR: expected count %0d to be shown for %0d cycles, got %0d",
                         expected, period, cycle - last_change);
                $fatal(1);
            end
            expected    = leds;
            last_change = cycle;
            counts      = counts + 1;
        end else if (counts > 0 && cycle - last_change > period) begin
            $display("ERROR: expected leds to leave %b after %0d cycles, got no change",
                     expected, period);
            $fatal(1);
        end
        if (counts == MAX_COUNTS || cycle == CYCLE_BUDGET)
            finish;
    end
endmodule

`default_nettype wire
