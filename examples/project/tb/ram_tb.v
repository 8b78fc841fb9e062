// Writes each word of a memory, reads it back, and reads a word while it is written: the old one comes.
// RAM, DEPTH and WIDTH say which memory it is.

`timescale 1ns / 1ps
`default_nettype none

module ram_tb;
    localparam BITS = $clog2(`DEPTH);

    reg clk = 1'b0;
    reg write = 1'b0;
    reg [BITS-1:0] address = 0;
    reg [`WIDTH-1:0] write_data = 0;
    wire [`WIDTH-1:0] read_data;
    integer i;

    `RAM ram (
        .clk(clk), .write(write), .write_address(address), .write_data(write_data),
        .read_address(address), .read_data(read_data)
    );

    always #5 clk = !clk;

    function [`WIDTH-1:0] word(input integer index);
        word = index * 40503 + 12345;
    endfunction

    initial begin
        for (i = 0; i < `DEPTH; i = i + 1) begin
            @(negedge clk) write = 1'b1;
            address = i;
            write_data = word(i);
        end
        for (i = 0; i < `DEPTH; i = i + 1) begin
            @(negedge clk) write = 1'b0;
            address = i;
            @(negedge clk);
            if (read_data !== word(i)) $fatal(1, "word %0d: expected %h, got %h", i, word(i), read_data);
        end
        write = 1'b1;
        write_data = ~word(`DEPTH - 1);
        @(negedge clk);
        if (read_data !== word(`DEPTH - 1)) $fatal(1, "a word is new already while it is written");
        $display("PASS: %0d words of %0d bits", `DEPTH, `WIDTH);
        $finish;
    end
endmodule

`default_nettype wire
