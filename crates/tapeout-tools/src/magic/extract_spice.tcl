ext2spice lvs
ext2spice format ngspice
ext2spice scale off
ext2spice blackbox on
ext2spice subcircuit top on
ext2spice -o $spice

# A file without a line where there is nothing to say.
feedback save $feedback
