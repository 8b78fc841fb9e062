// Prints the first values that the core puts out: `+count=N`, 16 if that is not given.

`timescale 1ns / 1ps
`default_nettype none

module core_tb;
    reg clk = 0;
    always #10 clk = !clk;

    wire [7:0] value;
    wire       valid;

    core core (.clk(clk), .value(value), .valid(valid));

    integer count;
    integer seen = 0;

    initial begin
        $dumpfile("core.vcd");
        $dumpvars(0, core_tb);
        if (!$value$plusargs("count=%d", count))
            count = 16;
        #100000 $finish;
    end

    always @(posedge clk)
        if (valid) begin
            $display("out %h", value);
            seen = seen + 1;
            if (seen == count)
                $finish;
        end
endmodule

`default_nettype wire
