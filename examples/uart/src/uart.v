// A UART with a small buffer in each direction. A byte passes in a cycle in which `valid` and `ready` are both high.

`default_nettype none

module uart (
    input  wire        clk,
    input  wire        reset,
    input  wire [11:0] divider,         // cycles of a bit, less one

    input  wire [7:0]  send_data,
    input  wire        send_valid,
    output wire        send_ready,

    output wire [7:0]  received_data,
    output wire        received_valid,
    input  wire        received_ready,
    output reg         overrun,         // a byte was lost; stays until reset
    output reg         framing_error,   // a byte had no stop bit; stays until reset

    output wire        tx,
    input  wire        rx
);
    wire [7:0] to_send;
    wire       has_to_send;
    wire       can_send;
    wire [7:0] arrived;
    wire       has_arrived;
    wire       has_room;
    wire       is_malformed;

    uart_fifo send_fifo (
        .clk(clk), .reset(reset),
        .in_data(send_data), .in_valid(send_valid), .in_ready(send_ready),
        .out_data(to_send), .out_valid(has_to_send), .out_ready(can_send)
    );

    uart_tx transmitter (
        .clk(clk), .reset(reset), .divider(divider),
        .data(to_send), .valid(has_to_send), .ready(can_send), .tx(tx)
    );

    uart_rx receiver (
        .clk(clk), .reset(reset), .divider(divider),
        .rx(rx), .data(arrived), .valid(has_arrived), .framing_error(is_malformed)
    );

    uart_fifo receive_fifo (
        .clk(clk), .reset(reset),
        .in_data(arrived), .in_valid(has_arrived), .in_ready(has_room),
        .out_data(received_data), .out_valid(received_valid), .out_ready(received_ready)
    );

    always @(posedge clk) begin
        if (reset) begin
            overrun       <= 1'b0;
            framing_error <= 1'b0;
        end else begin
            if (has_arrived && !has_room) overrun       <= 1'b1;
            if (is_malformed)             framing_error <= 1'b1;
        end
    end
endmodule

`default_nettype wire
