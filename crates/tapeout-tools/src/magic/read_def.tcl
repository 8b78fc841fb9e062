foreach file $lefs {
    lef read $file
}
def read $def
load $design

# The outline of the design is what others see of it as its size.
set file [open $def r]
set text [read $file]
close $file
if {[regexp {UNITS\s+DISTANCE\s+MICRONS\s+([0-9.]+)} $text -> unit]
    && [regexp {DIEAREA((\s*\(\s*-?\d+\s+-?\d+\s*\))+)} $text -> corners]} {
    set xs {}
    set ys {}
    foreach {x y} [regexp -all -inline -- {-?\d+} $corners] {
        lappend xs [expr {double($x) / $unit}]
        lappend ys [expr {double($y) / $unit}]
    }
    set xs [lsort -real $xs]
    set ys [lsort -real $ys]
    box [lindex $xs 0]um [lindex $ys 0]um [lindex $xs end]um [lindex $ys end]um
    property FIXED_BBOX [box values]
}
