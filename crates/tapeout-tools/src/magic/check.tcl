select top cell
expand
# Not every technology has it; where it has not, there is only one style.
catch {drc style drc(full)}
drc on
select top cell
drc check
drc catchup

set scale [cif scale output]
set file [open $report w]
puts $file "Design rules checked by Magic: $design, style [drc list style]"
set total 0
foreach {rule boxes} [drc listall why] {
    puts $file $rule
    foreach box $boxes {
        set edges {}
        foreach edge $box {
            lappend edges [format %.4f [expr {$edge * $scale}]]
        }
        puts $file "    [join $edges]"
        incr total
    }
}
puts $file "total $total"
close $file
# Errors that are not explained are errors.
if {$total == 0 && [drc list count total] > 0} {
    error "Magic counts [drc list count total] violations of design rules and names none"
}
