// An accumulator machine of 8 bits. An instruction is an operation (bits 15 to 12) and an operand (bits 7 to 0), and takes
// three cycles. The program and the data have a memory each.

`default_nettype none

module acc #(
    parameter PROGRAM = ""
) (
    input  wire       clk,
    input  wire       reset,
    input  wire [7:0] in,
    output reg  [7:0] out,
    output reg        strobe,     // `out` is new
    output reg        halted
);
    localparam [3:0] HALT = 4'h0, LDI = 4'h1, LD  = 4'h2, ST   = 4'h3,
                     ADD  = 4'h4, SUB = 4'h5, AND = 4'h6, OR   = 4'h7,
                     XOR  = 4'h8, ADDI = 4'h9, SHR = 4'ha, IN  = 4'hb,
                     OUT  = 4'hc, JMP = 4'hd, JZ  = 4'he, JC   = 4'hf;

    localparam [1:0] FETCH = 2'd0, READ = 2'd1, EXECUTE = 2'd2;

    reg [1:0] state;
    reg [7:0] pc;
    reg [7:0] a;
    reg       carry;

    wire [15:0] instruction;
    wire [7:0]  data;
    wire [3:0]  operation = instruction[15:12];
    wire [7:0]  operand   = instruction[7:0];
    wire        executes  = state == EXECUTE && !halted;

    // Bits 11 to 8 mean nothing.
    wire _unused = &{1'b0, instruction[11:8]};

    ram_256x16 #(.CONTENT(PROGRAM)) code (
        .clk(clk), .write(1'b0), .write_address(8'd0), .write_data(16'd0),
        .read_address(pc), .read_data(instruction)
    );

    ram_256x8 memory (
        .clk(clk), .write(executes && operation == ST), .write_address(operand), .write_data(a),
        .read_address(operand), .read_data(data)
    );

    wire [7:0] addend     = (operation == ADDI) ? operand : data;
    wire [8:0] sum        = {1'b0, a} + {1'b0, addend};
    wire [8:0] difference = {1'b0, a} - {1'b0, data};

    always @(posedge clk) begin
        strobe <= 1'b0;
        if (reset) begin
            state  <= FETCH;
            pc     <= 8'd0;
            a      <= 8'd0;
            carry  <= 1'b0;
            out    <= 8'd0;
            halted <= 1'b0;
        end else if (!halted) begin
            state <= (state == FETCH) ? READ : (state == READ) ? EXECUTE : FETCH;
            if (state == EXECUTE) begin
                pc <= pc + 8'd1;
                case (operation)
                    HALT:      halted <= 1'b1;
                    LDI:       a <= operand;
                    LD:        a <= data;
                    ST:        ;
                    ADD, ADDI: {carry, a} <= sum;
                    SUB:       {carry, a} <= difference;
                    AND:       a <= a & data;
                    OR:        a <= a | data;
                    XOR:       a <= a ^ data;
                    SHR:       {a, carry} <= {1'b0, a};
                    IN:        a <= in;
                    OUT: begin
                        out    <= a;
                        strobe <= 1'b1;
                    end
                    JMP:       pc <= operand;
                    JZ:        if (a == 8'd0) pc <= operand;
                    JC:        if (carry) pc <= operand;
                endcase
            end
        end
    end

`ifdef FORMAL
    reg begun = 1'b0;
    always @(posedge clk) begin
        begun <= 1'b1;
        if (!begun) assume (reset);
        if (begun) begin
            assert (state != 2'd3);
            if (!$past(reset) && $past(halted)) begin
                assert (halted && $stable(pc) && $stable(a) && $stable(out) && !strobe);
            end
            if (!$past(reset) && $past(state) != EXECUTE) assert ($stable(pc) && $stable(a) && $stable(out));
            if (strobe) assert ($past(operation) == OUT && out == $past(a));
        end
    end
`endif
endmodule

`default_nettype wire
