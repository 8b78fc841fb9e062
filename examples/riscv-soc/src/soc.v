// soc: a small RV32I system on a chip.
//
// The core is the only master of a bus without wait states: an address is
// presented in one cycle, what was read arrives in the next one. RAM, UART,
// timer and LEDs share it (soc_map.vh). There is no reset pin.

`include "soc_map.vh"
`default_nettype none

module soc #(
    parameter FIRMWARE       = "firmware/firmware.hex", // relative to the example's directory
    parameter CLOCKS_PER_BIT = 26   // 460800 baud at the 12 MHz of the iCE40-HX8K breakout board
) (
    input  wire       clk,
    input  wire       uart_rx,
    output wire       uart_tx,
    output wire [7:0] leds          // 7: the core has stopped; 6 to 0: under control of the program
);
    // Power-on reset. Flip-flops of the iCE40 start at zero; its block RAM must not
    // be used in the first microseconds after configuration.
    reg [7:0] reset_count = 0;
    wire      reset = !reset_count[7];

    always @(posedge clk)
        if (reset) reset_count <= reset_count + 8'd1;

    // Core and bus
    wire [31:2] bus_address;
    wire        bus_read;
    wire [3:0]  bus_write;          // one bit a byte
    wire [31:0] bus_write_data;
    reg  [31:0] bus_read_data;
    wire        halted;

    rv32i_core core (
        .clk            (clk),
        .reset          (reset),
        .bus_address    (bus_address),
        .bus_read       (bus_read),
        .bus_write      (bus_write),
        .bus_write_data (bus_write_data),
        .bus_read_data  (bus_read_data),
        .halted         (halted)
    );

    wire [3:0] region       = bus_address[31:28];
    wire       select_ram   = region == `SOC_REGION_RAM;
    wire       select_uart  = region == `SOC_REGION_UART;
    wire       select_timer = region == `SOC_REGION_TIMER;
    wire       select_leds  = region == `SOC_REGION_LEDS;

    wire unused_address = &{1'b0, bus_address[27:13]};

    // What was selected in the cycle before answers in this one.
    reg  [3:0]  region_read;
    wire [31:0] ram_read_data;
    wire [31:0] uart_read_data;
    wire [31:0] timer_read_data;

    always @(posedge clk) region_read <= region;

    always @* begin
        case (region_read)
            `SOC_REGION_RAM:   bus_read_data = ram_read_data;
            `SOC_REGION_UART:  bus_read_data = uart_read_data;
            `SOC_REGION_TIMER: bus_read_data = timer_read_data;
            `SOC_REGION_LEDS:  bus_read_data = {25'b0, led_bits};
            default:           bus_read_data = 32'b0;
        endcase
    end

    ram #(.CONTENT(FIRMWARE)) ram (
        .clk        (clk),
        .address    (bus_address[12:2]),
        .read       (select_ram && bus_read),
        .write      (bus_write & {4{select_ram}}),
        .write_data (bus_write_data),
        .read_data  (ram_read_data)
    );

    uart #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) uart (
        .clk        (clk),
        .reset      (reset),
        .address    (bus_address[2]),
        .read       (select_uart && bus_read),
        .write      (select_uart && bus_write[0]),
        .write_data (bus_write_data[7:0]),
        .read_data  (uart_read_data),
        .rx         (uart_rx),
        .tx         (uart_tx)
    );

    timer timer (
        .clk        (clk),
        .reset      (reset),
        .address    (bus_address[3:2]),
        .write      (select_timer && &bus_write),
        .write_data (bus_write_data),
        .read_data  (timer_read_data)
    );

    reg [6:0] led_bits;

    always @(posedge clk) begin
        if (reset)
            led_bits <= 7'd0;
        else if (select_leds && bus_write[0])
            led_bits <= bus_write_data[6:0];
    end

    assign leds = {halted, led_bits};
endmodule

`default_nettype wire
