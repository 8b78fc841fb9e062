// Address map of the SoC.
//
// The four highest address bits select a region; each region repeats what it
// holds. firmware/firmware.s names the same addresses in its first lines.

`ifndef SOC_MAP_VH
`define SOC_MAP_VH

`define SOC_REGION_RAM          4'h0
`define SOC_REGION_UART         4'h1
`define SOC_REGION_TIMER        4'h2
`define SOC_REGION_LEDS         4'h3

// Registers inside a region, by word. UART:
`define SOC_UART_DATA           1'd0    // write: send a byte; read: take the received byte
`define SOC_UART_STATUS         1'd1    // bit 0: may send, bit 1: a byte was received

// Timer:
`define SOC_TIMER_COUNT         2'd0    // clock cycles since reset
`define SOC_TIMER_COMPARE       2'd1    // writing it also clears EXPIRED
`define SOC_TIMER_EXPIRED       2'd2    // bit 0: COUNT has reached COMPARE

`endif
