// Byte lanes: between a byte, half word or word of a register and the 32-bit bus.
// Combinational, little endian; `offset` is aligned to the size.

`default_nettype none

module rv32i_lanes (
    input  wire [1:0]  offset,          // of the data in its word, in bytes
    input  wire [2:0]  funct3,          // 1:0 size, 2: load without sign
    input  wire [31:0] store_value,
    output reg  [3:0]  store_bytes,
    output reg  [31:0] store_word,
    input  wire [31:0] load_word,
    output reg  [31:0] load_value
);
    localparam [1:0] BYTE = 2'b00, HALF = 2'b01;

    wire [1:0] size        = funct3[1:0];
    wire       sign_extend = !funct3[2];

    // A store offers its data in every lane and enables the right ones.

    always @* begin
        case (size)
            BYTE: begin
                store_word  = {4{store_value[7:0]}};
                store_bytes = 4'b0001 << offset;
            end
            HALF: begin
                store_word  = {2{store_value[15:0]}};
                store_bytes = offset[1] ? 4'b1100 : 4'b0011;
            end
            default: begin
                store_word  = store_value;
                store_bytes = 4'b1111;
            end
        endcase
    end

    wire [15:0] load_half = offset[1] ? load_word[31:16] : load_word[15:0];
    wire [7:0]  load_byte = offset[0] ? load_half[15:8]  : load_half[7:0];

    always @* begin
        case (size)
            BYTE:    load_value = {{24{load_byte[7]  && sign_extend}}, load_byte};
            HALF:    load_value = {{16{load_half[15] && sign_extend}}, load_half};
            default: load_value = load_word;
        endcase
    end
endmodule

`default_nettype wire
