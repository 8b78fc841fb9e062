// Self-checking bench of gcd: corner cases and random numbers, against the same computed by remainders. It looks at the
// pins only, so the same bench checks the source and the routed netlist.

`timescale 1ns / 1ps
`default_nettype none

module gcd_tb;
    localparam WIDTH = 16;
    localparam RANDOM = 40;
    localparam PATIENCE = 200_000;      // cycles for one answer

    reg              clk = 0;
    reg              reset = 1;
    reg              request_valid = 0;
    wire             request_ready;
    reg  [WIDTH-1:0] request_a = 0;
    reg  [WIDTH-1:0] request_b = 0;
    wire             response_valid;
    reg              response_ready = 0;
    wire [WIDTH-1:0] response_gcd;

    gcd dut (
        .clk(clk), .reset(reset),
        .request_valid(request_valid), .request_ready(request_ready),
        .request_a(request_a), .request_b(request_b),
        .response_valid(response_valid), .response_ready(response_ready), .response_gcd(response_gcd)
    );

    always #5 clk = ~clk;

    integer waited;
    integer round;

    function [WIDTH-1:0] expected(input [WIDTH-1:0] first, input [WIDTH-1:0] second);
        reg [WIDTH-1:0] m, n, r;
        begin
            m = first;
            n = second;
            while (n != 0) begin
                r = m % n;
                m = n;
                n = r;
            end
            expected = m;
        end
    endfunction

    task wait_for(input integer what);
        begin
            waited = 0;
            while ((what ? response_valid : request_ready) !== 1'b1) begin
                @(negedge clk) waited = waited + 1;
                if (waited > PATIENCE) begin
                    $display("ERROR: expected %0s within %0d cycles", what ? "an answer" : "to be ready", PATIENCE);
                    $fatal(1);
                end
            end
        end
    endtask

    task check(input [WIDTH-1:0] a, input [WIDTH-1:0] b);
        begin
            wait_for(0);
            request_a = a;
            request_b = b;
            request_valid = 1;
            @(negedge clk) request_valid = 0;
            wait_for(1);
            if (response_gcd !== expected(a, b)) begin
                $display("ERROR: expected gcd(%0d, %0d) = %0d, got %0d", a, b, expected(a, b), response_gcd);
                $fatal(1);
            end
            response_ready = 1;
            @(negedge clk) response_ready = 0;
        end
    endtask

    initial begin
        repeat (3) @(negedge clk);
        reset = 0;
        check(27, 15);
        check(0, 7);
        check(7, 0);
        check(0, 0);
        check(65535, 255);
        check(4096, 64);
        for (round = 0; round < RANDOM; round = round + 1)
            check($random & 16'h0fff | 16'd1, $random & 16'h0fff | 16'd1);
        $display("PASS: %0d pairs", 6 + RANDOM);
        $finish;
    end
endmodule

`default_nettype wire
