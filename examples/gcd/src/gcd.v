// Greatest common divisor of two numbers by subtraction. Each side has a handshake: a word passes in a cycle in which
// `valid` and `ready` are both high.

`default_nettype none

module gcd #(
    parameter WIDTH = 16
) (
    input  wire             clk,
    input  wire             reset,

    input  wire             request_valid,
    output wire             request_ready,
    input  wire [WIDTH-1:0] request_a,
    input  wire [WIDTH-1:0] request_b,

    output wire             response_valid,
    input  wire             response_ready,
    output wire [WIDTH-1:0] response_gcd
);
    localparam [1:0] IDLE = 2'd0, BUSY = 2'd1, DONE = 2'd2;

    reg [1:0]       state;
    reg [WIDTH-1:0] a;
    reg [WIDTH-1:0] b;

    wire             is_smaller = a < b;
    wire [WIDTH-1:0] difference = a - b;

    assign request_ready  = state == IDLE;
    assign response_valid = state == DONE;
    assign response_gcd   = a;

    always @(posedge clk) begin
        if (reset) begin
            state <= IDLE;
        end else begin
            case (state)
                IDLE: if (request_valid) begin
                    a     <= request_a;
                    b     <= request_b;
                    state <= BUSY;
                end
                BUSY: if (b == {WIDTH{1'b0}}) begin
                    state <= DONE;
                end else if (is_smaller) begin
                    a <= b;
                    b <= a;
                end else begin
                    a <= difference;
                end
                default: if (response_ready) state <= IDLE;
            endcase
        end
    end
endmodule

`default_nettype wire
