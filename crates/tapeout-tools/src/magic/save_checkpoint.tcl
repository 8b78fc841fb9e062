# All that the session has come to, in one file: cells and what was extracted of them, and what the script has set. Magic
# itself keeps a file for each cell, with the time at which it was changed.
apply {{path} {
    writeall force
    set files {}
    foreach name [lsort [glob -nocomplain *.mag *.ext]] {
        set file [open $name]
        fconfigure $file -translation binary
        lappend files $name [regsub -all -line {^timestamp \d+$} [read $file] {timestamp 1}]
        close $file
    }
    set variables {}
    foreach name [lsort [info globals]] {
        if {[lsearch -exact $::known_variables $name] < 0 && [info exists ::$name] && ![array exists ::$name]} {
            lappend variables $name [set ::$name]
        }
    }
    set procedures {}
    foreach name [lsort [info procs ::*]] {
        if {[lsearch -exact $::known_procedures $name] >= 0} { continue }
        set arguments {}
        foreach argument [info args $name] {
            lappend arguments [expr {[info default $name $argument value] ? [list $argument $value] : [list $argument]}]
        }
        lappend procedures $name $arguments [info body $name]
    }
    set file [open $path w]
    fconfigure $file -translation binary
    puts $file [list [cellname list window] [cif scale output] [drc list style] $files $variables $procedures]
    close $file
}} {file}
