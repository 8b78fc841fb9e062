// The accumulator machine on a board without a reset button: it is reset in the first cycles after configuration.

`default_nettype none

module acc_board (
    input  wire       clk,
    input  wire [7:0] in,
    output wire [7:0] out,
    output wire       strobe,
    output wire       halted
);
    reg [3:0] age = 4'd0;
    always @(posedge clk) if (age != 4'hf) age <= age + 4'd1;

    acc #(.PROGRAM("program.hex")) core (
        .clk(clk), .reset(age != 4'hf), .in(in), .out(out), .strobe(strobe), .halted(halted)
    );
endmodule

`default_nettype wire
