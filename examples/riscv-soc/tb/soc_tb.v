// Self-checking bench of soc.
//
// It talks to the pins only, as a terminal on the UART would, so the same bench
// checks the source and the netlist read back from the bitstream.

`timescale 1ns / 1ps
`default_nettype none

module soc_tb;
    localparam CLOCKS_PER_BIT = 26;
    localparam CYCLE_BUDGET   = 100_000;
    localparam FIRST_BEAT     = 1024;   // cycles; the next ones are twice as long each
    localparam BEATS          = 3;

    localparam [7:0] CR = 8'h0d, LF = 8'h0a, BACKSLASH = 8'h5c;

    reg        clk     = 0;
    reg        uart_rx = 1;
    wire       uart_tx;
    wire [7:0] leds;

    soc dut (
        .clk     (clk),
        .uart_rx (uart_rx),
        .uart_tx (uart_tx),
        .leds    (leds)
    );

    always #16.667 clk = ~clk;

    integer cycle = 0;
    always @(posedge clk) cycle <= cycle + 1;

    // The first error ends the simulation, and the simulator's exit code tells.

    task fail(input string message);
        begin
            $display("ERROR: %s (cycle %0d)", message, cycle);
            $fatal(1);
        end
    endtask

    // Received text, in the order of arrival

    string  received = "";
    integer taken = 0;              // characters of it that were looked at

    task receive_byte;
        reg [7:0] data;
        integer   i;
        begin
            @(negedge uart_tx);
            repeat (CLOCKS_PER_BIT / 2) @(negedge clk);
            if (uart_tx !== 1'b0)
                fail($sformatf("expected a start bit, got %b", uart_tx));
            for (i = 0; i < 8; i = i + 1) begin
                repeat (CLOCKS_PER_BIT) @(negedge clk);
                data[i] = uart_tx;
            end
            repeat (CLOCKS_PER_BIT) @(negedge clk);
            if (uart_tx !== 1'b1)
                fail($sformatf("expected a stop bit after %b, got %b", data, uart_tx));
            received = $sformatf("%s%c", received, data);
        end
    endtask

    initial forever receive_byte;

    // Control and other odd characters as \r, \n, \xNN: an error is one line.
    function string printable(input string text);
        integer   i;
        reg [7:0] character;
        begin
            printable = "";
            for (i = 0; i < text.len(); i = i + 1) begin
                character = text[i];
                if (character == CR)
                    printable = $sformatf("%s%cr", printable, BACKSLASH);
                else if (character == LF)
                    printable = $sformatf("%s%cn", printable, BACKSLASH);
                else if (character < 8'h20 || character > 8'h7e)
                    printable = $sformatf("%s%cx%h", printable, BACKSLASH, character);
                else
                    printable = $sformatf("%s%c", printable, character);
            end
        end
    endfunction

    // Compares the next characters; with `whole_line`, all that come up to the end of the line.
    task expect_text(input string text, input whole_line);
        integer   first;
        reg [7:0] character;
        begin
            first     = taken;
            character = 0;
            while (whole_line ? character != LF : taken - first < text.len()) begin
                wait (received.len() > taken);
                character = received[taken];
                taken     = taken + 1;
            end
            if (received.substr(first, taken - 1) != text)
                fail($sformatf("expected \"%s\", got \"%s\"", printable(text),
                               printable(received.substr(first, taken - 1))));
        end
    endtask

    task expect_line(input string text);
        expect_text({text, CR, LF}, 1);
    endtask

    // Stimuli

    task send(input [7:0] data);
        integer i;
        begin
            uart_rx = 1'b0;
            repeat (CLOCKS_PER_BIT) @(negedge clk);
            for (i = 0; i < 8; i = i + 1) begin
                uart_rx = data[i];
                repeat (CLOCKS_PER_BIT) @(negedge clk);
            end
            uart_rx = 1'b1;
            repeat (CLOCKS_PER_BIT) @(negedge clk);
        end
    endtask

    task expect_echo(input [7:0] data);
        begin
            send(data);
            expect_text($sformatf("%c", data), 0);
            if (leds[5:0] !== data[5:0])
                fail($sformatf("expected leds[5:0] to show %b, got %b", data[5:0], leds[5:0]));
        end
    endtask

    // The program polls the timer, so a beat is late by a few instructions.
    task expect_beats;
        integer i, start, length;
        begin
            @(leds[6]);
            for (i = 1; i < BEATS; i = i + 1) begin
                start = cycle;
                @(leds[6]);
                length = cycle - start;
                if (length < (FIRST_BEAT << i) - 100 || length > (FIRST_BEAT << i) + 100)
                    fail($sformatf("expected a beat of %0d cycles, more or less, got %0d",
                                   FIRST_BEAT << i, length));
            end
        end
    endtask

    initial begin
        expect_line("Hello from tapeout");
        expect_line("RV32I: OK");
        expect_line("timer: OK");
        expect_text("> ", 0);
        expect_beats;
        expect_echo("Z");
        expect_echo("u");
        if (leds[7] !== 1'b0)
            fail("expected the core to run, got leds[7] = 1");
        expect_echo("!");           // makes the program execute EBREAK
        if (leds[7] !== 1'b1)
            fail("expected the core to have stopped at EBREAK, got leds[7] = 0");

        $display("PASS: %0d characters in %0d cycles", taken, cycle);
        $finish;
    end

    initial begin
        repeat (CYCLE_BUDGET) @(posedge clk);
        fail($sformatf("expected the end within %0d cycles, got %0d characters: \"%s\"",
                       CYCLE_BUDGET, received.len(), printable(received)));
    end
endmodule

`default_nettype wire
