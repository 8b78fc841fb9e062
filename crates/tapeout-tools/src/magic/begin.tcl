crashbackups stop
# What the start-up file loads is what counts: it must be the file that is looked after.
if {[file normalize [tech filename]] ne [file normalize $technology]} {
    error "MAGICRC loads the technology [tech filename], and MAGIC_TECH names $technology: name the same file"
}
drc off
# Magic rounds edges to a grid of its own, without a word. In old technologies that grid is lambda, and wires end between.
if {$grid > 0} {
    set scale [cif scale output]
    for {set parts 1} {$parts <= 64} {incr parts} {
        set steps [expr {$grid * $parts / $scale}]
        if {$steps > 0.9 && abs($steps - round($steps)) < 1e-3} {
            break
        }
    }
    if {$parts > 1 && $parts <= 64} {
        scalegrid 1 $parts
    }
}
