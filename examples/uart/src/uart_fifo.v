// Four bytes, first in first out.

`default_nettype none

module uart_fifo (
    input  wire       clk,
    input  wire       reset,
    input  wire [7:0] in_data,
    input  wire       in_valid,
    output wire       in_ready,
    output wire [7:0] out_data,
    output wire       out_valid,
    input  wire       out_ready
);
    reg [7:0] bytes [0:3];
    reg [2:0] written;                  // one bit more than the place: full and empty differ
    reg [2:0] read;

    assign in_ready  = written != {~read[2], read[1:0]};
    assign out_valid = written != read;
    assign out_data  = bytes[read[1:0]];

    always @(posedge clk) begin
        if (in_valid && in_ready) bytes[written[1:0]] <= in_data;
        if (reset) begin
            written <= 3'd0;
            read    <= 3'd0;
        end else begin
            if (in_valid && in_ready)   written <= written + 3'd1;
            if (out_valid && out_ready) read    <= read + 3'd1;
        end
    end
endmodule

`default_nettype wire
