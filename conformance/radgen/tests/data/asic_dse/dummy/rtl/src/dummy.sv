module dummy (
    input  logic a,
    output logic y
);
  assign y = a;
endmodule
