// Self-checking bench of uart: what is sent comes back over a loop of the pins; a byte without a stop bit and one too many
// are noticed. It looks at the pins only, so the same bench checks the source and the routed netlist.

`timescale 1ns / 1ps
`default_nettype none

module uart_tb;
    localparam BYTES = 40;
    localparam PATIENCE = 5_000;        // cycles for a byte

    reg        clk = 0;
    reg        reset = 1;
    reg [11:0] divider = 12'd9;
    reg [7:0]  send_data = 0;
    reg        send_valid = 0;
    wire       send_ready;
    wire [7:0] received_data;
    wire       received_valid;
    reg        received_ready = 0;
    wire       overrun;
    wire       framing_error;
    wire       tx;
    reg        is_looped = 1;
    reg        line = 1;
    wire       rx = is_looped ? tx : line;

    uart dut (
        .clk(clk), .reset(reset), .divider(divider),
        .send_data(send_data), .send_valid(send_valid), .send_ready(send_ready),
        .received_data(received_data), .received_valid(received_valid), .received_ready(received_ready),
        .overrun(overrun), .framing_error(framing_error), .tx(tx), .rx(rx)
    );

    always #5 clk = ~clk;

    integer number;
    integer waited;

    function [7:0] byte_of(input integer place);
        byte_of = place * 37 + 11;
    endfunction

    task fail(input [40*8-1:0] what);
        begin
            $display("ERROR: %0s", what);
            $fatal(1);
        end
    endtask

    task send(input [7:0] data);
        begin
            waited = 0;
            while (send_ready !== 1'b1) begin
                @(negedge clk) waited = waited + 1;
                if (waited > PATIENCE) fail("expected room for a byte to send");
            end
            send_data = data;
            send_valid = 1;
            @(negedge clk) send_valid = 0;
        end
    endtask

    task receive(input [7:0] expected);
        begin
            waited = 0;
            while (received_valid !== 1'b1) begin
                @(negedge clk) waited = waited + 1;
                if (waited > PATIENCE) fail("expected a byte to arrive");
            end
            if (received_data !== expected) begin
                $display("ERROR: expected byte %h, got %h", expected, received_data);
                $fatal(1);
            end
            received_ready = 1;
            @(negedge clk) received_ready = 0;
        end
    endtask

    initial begin
        repeat (4) @(negedge clk);
        reset = 0;
        for (number = 0; number < BYTES; number = number + 2) begin
            send(byte_of(number));
            send(byte_of(number + 1));
            receive(byte_of(number));
            receive(byte_of(number + 1));
        end
        if (overrun !== 1'b0 || framing_error !== 1'b0) fail("expected no error so far");

        // Five bytes without anybody to take them: there is room for four.
        for (number = 0; number < 5; number = number + 1) send(byte_of(number));
        repeat (600) @(negedge clk);
        if (overrun !== 1'b1) fail("expected an overrun");
        for (number = 0; number < 4; number = number + 1) receive(byte_of(number));

        // A line that is low for longer than a byte.
        is_looped = 0;
        line = 0;
        repeat (150) @(negedge clk);
        line = 1;
        repeat (20) @(negedge clk);
        if (framing_error !== 1'b1) fail("expected a framing error");
        $display("PASS: %0d bytes, an overrun and a framing error", BYTES + 4);
        $finish;
    end
endmodule

`default_nettype wire
