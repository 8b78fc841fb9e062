// Timer: a counter of clock cycles and a value it is compared with.
// Registers: soc_map.vh.

`include "soc_map.vh"
`default_nettype none

module timer (
    input  wire        clk,
    input  wire        reset,
    input  wire [1:0]  address,
    input  wire        write,
    input  wire [31:0] write_data,
    output reg  [31:0] read_data
);
    reg [31:0] count;
    reg [31:0] compare;
    reg        expired;

    always @(posedge clk) begin
        count <= count + 32'd1;
        if (count == compare)
            expired <= 1'b1;
        if (write && address == `SOC_TIMER_COMPARE) begin
            compare <= write_data;
            expired <= 1'b0;
        end
        if (reset) begin
            count   <= 32'd0;
            compare <= 32'hffff_ffff;
            expired <= 1'b0;
        end
    end

    always @(posedge clk) begin
        case (address)
            `SOC_TIMER_COUNT:   read_data <= count;
            `SOC_TIMER_COMPARE: read_data <= compare;
            `SOC_TIMER_EXPIRED: read_data <= {31'b0, expired};
            default:            read_data <= 32'b0;
        endcase
    end
endmodule

`default_nettype wire
