# What breaks rules in the cell that is loaded: by rule a list of boxes, in a report with µm. The cell is reported by this
# name, with its origin at this place.
proc check {cell file {x 0} {y 0}} {
    select top cell
    drc check
    drc catchup
    set scale [cif scale output]
    puts $file "Design rules checked by Magic: $cell, style [drc list style]"
    set total 0
    foreach {rule boxes} [drc listall why] {
        puts $file $rule
        foreach box $boxes {
            set edges {}
            foreach edge $box origin [list $x $y $x $y] {
                lappend edges [format %.4f [expr {($edge - $origin) * $scale}]]
            }
            puts $file "    [join $edges]"
            incr total
        }
    }
    puts $file "total $total"
    # Errors that are not explained are errors.
    if {$total == 0 && [drc list count total] > 0} {
        error "Magic counts [drc list count total] violations of design rules in $cell and names none"
    }
    return $total
}

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

select top cell
expand
# Not every technology has it; where it has not, there is only one style.
catch {drc style drc(full)}
drc on
set file [open $report w]
set total [check $design $file]
close $file

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
