// A stack machine of 16 bits. An instruction takes two cycles:
//
//   1vvv vvvv vvvv vvvv   push the value v
//   0001 .... aaaa aaaa   jump to a
//   0010 .... aaaa aaaa   pop; jump to a if it was 0
//   0011 .... aaaa aaaa   call a
//   0000 .... .... oooo   an operation
//
// The top of the stack is a register, what is below it a memory; so are the addresses to return to.

`default_nettype none

module stack #(
    parameter PROGRAM = ""
) (
    input  wire        clk,
    input  wire        reset,
    input  wire [7:0]  in,
    output reg  [15:0] out,
    output reg         strobe,     // `out` is new
    output reg         halted
);
    localparam [3:0] HALT = 4'h0, DUP = 4'h1, DROP = 4'h2, SWAP = 4'h3,
                     OVER = 4'h4, ADD = 4'h5, SUB  = 4'h6, AND  = 4'h7,
                     OR   = 4'h8, XOR = 4'h9, SHR  = 4'ha, LESS = 4'hb,
                     EQUAL = 4'hc, IN = 4'hd, OUT  = 4'he, RET  = 4'hf;

    localparam FETCH = 1'b0, EXECUTE = 1'b1;

    reg        state;
    reg [7:0]  pc;
    reg [7:0]  depth;             // words in the memory `below`
    reg [7:0]  calls;             // addresses in the memory `returns`
    reg [15:0] top;

    wire [15:0] instruction;
    wire [15:0] second;           // what is below the top
    wire [7:0]  back;             // where to return to

    wire       is_push  = instruction[15];
    wire [2:0] kind     = instruction[14:12];
    wire [7:0] address  = instruction[7:0];
    wire [3:0] operation = instruction[3:0];
    wire       executes = state == EXECUTE && !halted;
    wire       is_jump  = !is_push && kind == 3'd1;
    wire       is_jz    = !is_push && kind == 3'd2;
    wire       is_call  = !is_push && kind == 3'd3;
    wire       is_op    = !is_push && kind == 3'd0;

    // One word more on the stack: what was the top goes below. Or one less: what was below is gone.
    wire grows   = is_push || (is_op && (operation == DUP || operation == OVER || operation == IN));
    wire shrinks = is_jz || (is_op && (operation == DROP || operation == OUT || operation == LESS ||
                                       operation == EQUAL || (operation >= ADD && operation <= XOR)));
    wire swaps   = is_op && operation == SWAP;

    ram_256x16 #(.CONTENT(PROGRAM)) code (
        .clk(clk), .write(1'b0), .write_address(8'd0), .write_data(16'd0),
        .read_address(pc), .read_data(instruction)
    );

    ram_256x16 below (
        .clk(clk), .write(executes && (grows || swaps)), .write_address(depth + {7'd0, grows}), .write_data(top),
        .read_address(depth), .read_data(second)
    );

    ram_256x8 returns (
        .clk(clk), .write(executes && is_call), .write_address(calls + 8'd1), .write_data(pc + 8'd1),
        .read_address(calls), .read_data(back)
    );

    always @(posedge clk) begin
        strobe <= 1'b0;
        if (reset) begin
            state  <= FETCH;
            pc     <= 8'd0;
            depth  <= 8'd0;
            calls  <= 8'd0;
            top    <= 16'd0;
            out    <= 16'd0;
            halted <= 1'b0;
        end else if (!halted) begin
            state <= !state;
            if (state == EXECUTE) begin
                pc <= pc + 8'd1;
                if (is_jump || is_call || (is_jz && top == 16'd0)) pc <= address;
                if (is_call) calls <= calls + 8'd1;
                if (grows) depth <= depth + 8'd1;
                if (shrinks) depth <= depth - 8'd1;
                if (is_push) top <= {1'b0, instruction[14:0]};
                if (is_jz) top <= second;
                if (is_op) begin
                    case (operation)
                        HALT:    halted <= 1'b1;
                        DUP:     ;
                        DROP:    top <= second;
                        SWAP:    top <= second;
                        OVER:    top <= second;
                        ADD:     top <= second + top;
                        SUB:     top <= second - top;
                        AND:     top <= second & top;
                        OR:      top <= second | top;
                        XOR:     top <= second ^ top;
                        SHR:     top <= {1'b0, top[15:1]};
                        LESS:    top <= {15'd0, second < top};
                        EQUAL:   top <= {15'd0, second == top};
                        IN:      top <= {8'd0, in};
                        OUT: begin
                            out    <= top;
                            strobe <= 1'b1;
                            top    <= second;
                        end
                        RET: begin
                            pc    <= back;
                            calls <= calls - 8'd1;
                        end
                    endcase
                end
            end
        end
    end

`ifdef FORMAL
    reg begun = 1'b0;
    always @(posedge clk) begin
        begun <= 1'b1;
        if (!begun) assume (reset);
        if (begun) begin
            if (!$past(reset) && $past(halted)) begin
                assert (halted && $stable(pc) && $stable(top) && $stable(depth) && $stable(out) && !strobe);
            end
            if (!$past(reset) && $past(state) == FETCH) assert ($stable(pc) && $stable(top) && $stable(depth));
            if (strobe) assert ($past(is_op) && out == $past(top) && depth == $past(depth) - 8'd1);
        end
    end
`endif
endmodule

`default_nettype wire
