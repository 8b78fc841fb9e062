# Delays and constraints, without the time at which they were written.
proc without_dates {path} {
    set file [open $path]
    set lines [split [read $file] \n]
    close $file
    set file [open $path w]
    foreach line $lines {
        if {[string match { (DATE *)} $line] || [string match {# ??? ??? * ??:??:?? *} $line]} { continue }
        lappend kept $line
    }
    puts -nonewline $file [join $kept \n]
    close $file
}

write_sdf -digits 4 $corner/$design.sdf
without_dates $corner/$design.sdf
write_sdc -digits 4 $corner/$design.sdc
without_dates $corner/$design.sdc
