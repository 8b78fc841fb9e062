# Goes on from what a session has come to: see how it is saved.
apply {{path} {
    set file [open $path]
    fconfigure $file -translation binary
    lassign [read $file] cells scale style files variables procedures
    close $file
    foreach {name text} $files {
        set file [open $name w]
        fconfigure $file -translation binary
        puts -nonewline $file $text
        close $file
    }
    foreach {name value} $variables { set ::$name $value }
    foreach {name arguments body} $procedures { proc $name $arguments $body }
    crashbackups stop
    drc off
    set parts [expr {round([cif scale output] / $scale)}]
    if {$parts > 1} { scalegrid 1 $parts }
    drc style $style
    load [lindex $cells 0]
}} {file}
