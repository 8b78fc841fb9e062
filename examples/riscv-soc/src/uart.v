// UART: transmitter and receiver behind two registers (soc_map.vh).
// 8 data bits, no parity, 1 stop bit; a byte not taken in time is overwritten.

`include "soc_map.vh"
`default_nettype none

module uart #(
    parameter CLOCKS_PER_BIT = 26
) (
    input  wire        clk,
    input  wire        reset,
    input  wire        address,
    input  wire        read,
    input  wire        write,
    input  wire [7:0]  write_data,
    output reg  [31:0] read_data,
    input  wire        rx,
    output wire        tx
);
    wire       tx_ready;
    wire [7:0] rx_data;
    wire       rx_done;
    reg        received;

    wire access_data = address == `SOC_UART_DATA;

    uart_tx #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) transmitter (
        .clk   (clk),
        .reset (reset),
        .data  (write_data),
        .send  (write && access_data),
        .ready (tx_ready),
        .tx    (tx)
    );

    uart_rx #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) receiver (
        .clk   (clk),
        .reset (reset),
        .rx    (rx),
        .data  (rx_data),
        .done  (rx_done)
    );

    always @(posedge clk) begin
        if (reset)
            received <= 1'b0;
        else if (rx_done)
            received <= 1'b1;
        else if (read && access_data)
            received <= 1'b0;
    end

    always @(posedge clk)
        read_data <= access_data ? {24'b0, rx_data} : {30'b0, received, tx_ready};
endmodule

`default_nettype wire
