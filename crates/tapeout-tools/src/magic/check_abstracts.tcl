# A cell with all that is below it.
proc below {cell} {
    set cells [list $cell]
    foreach child [cellname list children $cell] {
        lappend cells {*}[below $child]
    }
    return [lsort -unique $cells]
}

# An abstract alone, as it may stand in rows: where Magic marks a violation depends on how it stands. Magic places a copy by
# its outline or by its shapes; by where these come to be, its origin is found.
proc check_turned {cell file} {
    load $cell
    select top cell
    lassign [box values] left bottom right top
    set total 0
    foreach {turned flips x y} [list \
        N {} $left $bottom \
        FN sideways [expr {-$right}] $bottom \
        FS upsidedown $left [expr {-$top}] \
        S {sideways upsidedown} [expr {-$right}] [expr {-$top}] \
    ] {
        set name ${cell}_turned_$turned
        cellname create $name
        load $name
        box 0 0 0 0
        getcell $cell
        foreach flip $flips { $flip }
        select top cell
        flatten ${name}_flat
        load ${name}_flat
        select top cell
        lassign [box values] at_x at_y
        incr total [check "$cell $turned" $file [expr {$at_x - $x}] [expr {$at_y - $y}]]
    }
    return $total
}

# What is wrong with the abstracts of cells alone is not the design's fault: it is looked for only if there is a fault.
set file [open $of_abstracts w]
if {$total > 0} {
    set wrong 0
    foreach cell [below $design] {
        if {$cell ne $design && [lsearch -exact $abstracts $cell] >= 0} {
            incr wrong [check_turned $cell $file]
        }
    }
    load $design
    if {$placed ne "" && $wrong > 0} {
        gds write $placed
    }
}
close $file
