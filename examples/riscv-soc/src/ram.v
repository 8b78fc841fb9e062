// RAM of 2048 words of 32 bits, written by the byte: 16 block RAMs of an iCE40.
// Its content after configuration comes from a file in $readmemh format, if one is named.

`default_nettype none

module ram #(
    parameter CONTENT = ""
) (
    input  wire        clk,
    input  wire [10:0] address,
    input  wire        read,
    input  wire [3:0]  write,
    input  wire [31:0] write_data,
    output reg  [31:0] read_data    // in the cycle after `read`
);
    reg [31:0] words [0:2047];

    generate
        if (CONTENT != "") begin : with_content
            initial $readmemh(CONTENT, words);
        end
    endgenerate

    always @(posedge clk) begin
        if (read) read_data <= words[address];
        if (write[0]) words[address][ 7: 0] <= write_data[ 7: 0];
        if (write[1]) words[address][15: 8] <= write_data[15: 8];
        if (write[2]) words[address][23:16] <= write_data[23:16];
        if (write[3]) words[address][31:24] <= write_data[31:24];
    end
endmodule

`default_nettype wire
