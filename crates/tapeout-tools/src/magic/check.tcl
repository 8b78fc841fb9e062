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

select top cell
expand
# Not every technology has it; where it has not, there is only one style.
catch {drc style drc(full)}
drc on
set file [open $report w]
set total [check $design $file]
close $file
