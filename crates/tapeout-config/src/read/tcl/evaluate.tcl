# Evaluates one Tcl configuration in a safe interpreter and prints what it did to `::env`, as JSON.
#
# Called as `tclsh evaluate.tcl REQUEST`. The request is a sequence of texts, each as its length in bytes, a line break
# and the bytes in UTF-8: the script's path, the directory of relative paths, the time limit in milliseconds, how
# many characters all values may have together, the number of directories that may be read, those directories, the number of
# variables, and the name and the value of each. All paths are absolute.
#
# The answer is {"files": [path …], "set": […], "removed": […], "env": [[name, text] …]}, with
# {"name", "file", "line", "value"} for what was set and no value for what was removed, or
# {"files": …, "error": {"message", "file", "line", "command", "procedure", "procedure_line"}}. `file` is an index of `files`; a
# line of 0 is one that is not known.

namespace eval shim {
    # The safe interpreter.
    variable child
    # Where relative paths start.
    variable dir
    # The directories that may be read: links are resolved.
    variable roots {}
    # The scripts, in the order in which they were first read, and by their path without links their index.
    variable files {}
    variable index {}
    # For each element of `::env` that was written: file and line of the last write. Removed ones likewise.
    variable written {}
    variable removed {}
    # For each element, the paths of keys at which it holds a dictionary; absent for plain text.
    variable shapes {}
    # The keys of the `dict` command that is at work.
    variable keys
}

proc shim::next {channel} {
    set bytes [read $channel [gets $channel]]
    gets $channel
    return [encoding convertfrom utf-8 $bytes]
}

# ---- Paths -----------------------------------------------------------------------------------------------------------

# The path with all links resolved, also that which the last part may be.
proc shim::real {path} {
    return [file dirname [file normalize [file join $path x]]]
}

proc shim::is_inside {path} {
    variable roots
    foreach root $roots {
        if {$path eq $root || [string first "[string trimright $root /]/" $path] == 0} { return 1 }
    }
    return 0
}

proc shim::refuse {message} {
    return -level 2 -code error -errorcode {TAPEOUT REFUSED} $message
}

proc shim::absolute {path} {
    variable dir
    return [file join $dir $path]
}

proc shim::outside {path} {
    return "\"$path\" is not in a directory that a configuration may read"
}

# ---- Commands of the script that look at files -----------------------------------------------------------------------

proc shim::source {args} {
    variable child
    variable files
    variable index
    if {[lindex $args 0] eq "-encoding"} { set args [lrange $args 2 end] }
    if {[llength $args] != 1} { refuse "wrong # args: should be \"source ?-encoding name? fileName\"" }
    set path [absolute [lindex $args 0]]
    if {![is_inside [real $path]]} { refuse [outside [lindex $args 0]] }
    set normal [file normalize $path]
    if {![dict exists $index $normal]} {
        dict set index $normal [llength $files]
        lappend files $path
    }
    if {[catch {interp invokehidden $child source -encoding utf-8 $path} result options]} {
        # The innermost script is the one that failed.
        if {[dict get $options -code] == 1 && ![dict exists $options -place]} {
            dict set options -place [place_of_error [dict get $index $normal] [dict get $options -errorinfo]]
        }
    }
    return -options $options $result
}

# From the trace of an error in a script: index of the file, line in it, the command that failed, and the procedure that
# it is in with the line in that.
proc shim::place_of_error {file trace} {
    variable child
    set line 0
    set inner $trace
    foreach {found number} [regexp -all -inline {\(file "[^\n]*" line (\d+)\)} $trace] {
        set line $number
        set inner [string range $trace 0 [string first $found $trace]]
    }
    set command {}
    regexp {\n    (?:while executing|invoked from within)\n"([^\n]*)} $inner - command
    set procedure {}
    set procedure_line 0
    foreach {- name number} [regexp -all -inline {\(procedure "([^\n]*)" line (\d+)\)} $inner] {
        # Those of this program are in the trace, too.
        if {[catch {interp eval $child [list ::tcl::info::procs $name]} found] || $found eq ""} { continue }
        set procedure $name
        set procedure_line $number
        break
    }
    return [list $file $line $command $procedure $procedure_line]
}

proc shim::file {subcommand args} {
    set names {
        dirname extension join normalize nativename pathtype rootname separator split tail
        exists isdirectory isfile mtime readable readlink size type
    }
    set found [lsearch -all -inline $names $subcommand*]
    if {[llength $found] == 1} { set subcommand [lindex $found 0] }
    switch -- $subcommand {
        dirname - extension - join - nativename - pathtype - rootname - separator - split - tail {}
        normalize {
            set args [lmap path $args { absolute $path }]
        }
        exists - isdirectory - isfile - mtime - readable - readlink - size - type {
            set path [lindex $args 0]
            # A link in the directory may be looked at, wherever it leads.
            set normal [::file normalize [absolute $path]]
            if {![is_inside $normal] && ![is_inside [real $normal]]} { refuse [outside $path] }
            # With another argument, `file mtime` sets it.
            if {[llength $args] != 1} { refuse "wrong # args: should be \"file $subcommand name\"" }
            set args [list [absolute $path]]
        }
        default { refuse "`file $subcommand` is not available: a configuration may only look at files" }
    }
    if {[catch {::file $subcommand {*}$args} result]} { refuse $result }
    return $result
}

proc shim::glob {args} {
    variable dir
    set options {}
    set base $dir
    set given {}
    set tails 0
    set names {-directory -join -nocomplain -path -tails -types --}
    while {[string match -* [lindex $args 0]]} {
        set args [lassign $args option]
        # `-type` is as good as `-types`.
        if {[catch {tcl::prefix match -message option $names $option} option]} { refuse $option }
        switch -- $option {
            -- { break }
            -join - -nocomplain { lappend options $option }
            -tails {
                set tails 1
                lappend options $option
            }
            default {
                if {[llength $args] == 0} { refuse "missing argument to \"$option\"" }
                set args [lassign $args value]
                if {$option eq "-types"} {
                    lappend options $option $value
                    continue
                }
                set given [list $option $value]
                set base [absolute $value]
                if {$option eq "-path"} { set base [::file dirname $base] }
            }
        }
    }
    foreach pattern $args {
        # The part of the path in which nothing is left open.
        set fixed $base
        foreach part [::file split $pattern] {
            if {[regexp {[*?\[\]\{\}\\]} $part]} { break }
            set fixed [::file join $fixed $part]
        }
        if {![is_inside [real $fixed]] && ![is_inside [real [::file dirname $fixed]]]} { refuse [outside $pattern] }
    }
    if {[catch {::glob {*}$options {*}$given -- {*}$args} result]} { refuse $result }
    foreach path $result {
        set full [expr {$tails ? [::file join $base $path] : [absolute $path]}]
        if {![is_inside [real [::file dirname $full]]]} { refuse [outside $path] }
    }
    # The order of a directory is that of the disk.
    return [lsort $result]
}

proc shim::open {path {access r} args} {
    variable child
    if {[string index [string trimleft $path] 0] eq "|"} {
        refuse "`open |` is not available: a configuration may not start programs"
    }
    if {$access ni {r rb RDONLY}} { refuse "cannot open \"$path\" for writing: a configuration may only read files" }
    set full [absolute $path]
    if {![is_inside [real $full]]} { refuse [outside $path] }
    if {[catch {::open $full $access} channel]} { refuse $channel }
    interp transfer {} $channel $child
    return $channel
}

proc shim::pwd {} {
    variable dir
    return $dir
}

# What a script says is for whoever debugs it by hand.
proc shim::puts {args} {
    if {[lindex $args 0] eq "-nonewline"} { set args [lrange $args 1 end] }
    if {[llength $args] == 0 || [llength $args] > 2} {
        refuse "wrong # args: should be \"puts ?-nonewline? ?channelId? string\""
    }
    if {[llength $args] == 2 && [lindex $args 0] ni {stdout stderr}} {
        refuse "cannot write to \"[lindex $args 0]\": a configuration may only read files"
    }
}

proc shim::flush {channel} {}

proc shim::unavailable {command reason args} {
    refuse "`$command` is not available: a configuration may not $reason"
}

# ---- What becomes of `::env` -----------------------------------------------------------------------------------------

# Runs `dict set` and its like, and tells the trace which part of the element is a dictionary by that.
proc shim::dict_command {subcommand path_length args} {
    variable child
    variable keys
    if {[llength $args] > 100} { refuse "dictionaries are nested more than 100 deep" }
    set outer [expr {[info exists keys] ? [list $keys] : {}}]
    set last [expr {$path_length eq "all" ? "end" : $path_length}]
    set keys [lrange $args 1 [expr {$subcommand eq "set" ? "end-1" : $last}]]
    set code [catch {interp eval $child [list ::tcl::dict::$subcommand {*}$args]} result options]
    unset keys
    foreach keys $outer {}
    if {$code == 1} { refuse $result }
    return -options $options $result
}

# The file and the line of the command of a script that is at work.
proc shim::place {} {
    variable child
    variable index
    set place {0 0}
    # A script may have broken what this asks.
    catch {
        for {set level [interp eval $child ::tcl::info::frame]} {$level > 0} {incr level -1} {
            set frame [interp eval $child [list ::tcl::info::frame $level]]
            if {[dict exists $frame file] && [dict exists $index [dict get $frame file]]} {
                set place [list [dict get $index [dict get $frame file]] [dict get $frame line]]
                break
            }
        }
    }
    return $place
}

# The trace of the array: sees new elements, which then get a trace of their own.
proc shim::array_changed {array element operation} {
    variable child
    if {$element eq ""} {
        # The array as a whole is gone, and its traces with it.
        variable written
        variable given
        foreach name [concat [dict keys $written] [dict keys $given]] { element_changed $name {} {} unset }
        interp eval $child {::tcl::array::set ::env {}}
        interp eval $child {::trace add variable ::env {write unset} ::array_changed}
        return
    }
    if {$operation eq "write"} { watch $element }
    element_changed $element {} {} $operation
}

# Links made by `upvar` reach an element without its array.
proc shim::watch {element} {
    variable child
    set watch [list ::element_changed $element]
    set name ::env($element)
    if {[list {write unset} $watch] ni [interp eval $child [list ::trace info variable $name]]} {
        interp eval $child [list ::trace add variable $name {write unset} $watch]
    }
}

proc shim::element_changed {element name1 name2 operation} {
    variable written
    variable removed
    variable shapes
    variable keys
    if {$operation eq "unset"} {
        dict unset written $element
        dict unset shapes $element
        dict set removed $element [place]
        return
    }
    dict set written $element [place]
    dict unset removed $element
    if {![info exists keys]} {
        dict unset shapes $element
        return
    }
    # What lies on the way to the value is a dictionary, what lies below it is not any more.
    set shape [expr {[dict exists $shapes $element] ? [dict get $shapes $element] : {}}]
    set length [llength $keys]
    set shape [lmap path $shape {
        if {[lrange $path 0 [expr {$length - 1}]] eq $keys} { continue }
        set path
    }]
    for {set end 0} {$end < $length} {incr end} {
        set path [lrange $keys 0 [expr {$end - 1}]]
        if {$path ni $shape} { lappend shape $path }
    }
    dict set shapes $element $shape
}

# ---- The answer ------------------------------------------------------------------------------------------------------

proc shim::json_text {text} {
    variable escapes
    if {![info exists escapes]} {
        set escapes [list \" {\"} \\ {\\}]
        for {set code 0} {$code < 32} {incr code} { lappend escapes [format %c $code] [format {\u%04x} $code] }
    }
    set text [string map $escapes $text]
    if {[string is ascii $text]} { return "\"$text\"" }
    set plain {}
    foreach char [split $text {}] {
        scan $char %c code
        append plain [expr {$code < 127 ? $char : $code < 0x10000 ? [format {\u%04x} $code] : [format \
            {\u%04x\u%04x} [expr {0xd800 + (($code - 0x10000) >> 10)}] [expr {0xdc00 + ($code & 0x3ff)}]]}]
    }
    return "\"$plain\""
}

proc shim::json_list {items} { return "\[[join $items ,]\]" }

proc shim::json_value {text shape path} {
    if {$path ni $shape || [catch {dict size $text}]} { return [json_text $text] }
    set entries {}
    dict for {key value} $text {
        lappend entries "[json_text $key]:[json_value $value $shape [concat $path [list $key]]]"
    }
    return "{[join $entries ,]}"
}

proc shim::json_place {name place} {
    lassign $place file line
    return "\"name\":[json_text $name],\"file\":$file,\"line\":$line"
}

proc shim::answer {body} {
    variable files
    ::puts -nonewline "{\"files\":[json_list [lmap file $files { json_text $file }]],$body}"
}

proc shim::fail {message place} {
    lassign $place file line command procedure procedure_line
    if {[string length $message] > 1000} { set message "[string range $message 0 1000] ..." }
    set words "\"message\":[json_text $message],\"command\":[json_text $command],\"procedure\":[json_text $procedure]"
    answer "\"error\":{$words,\"file\":$file,\"line\":$line,\"procedure_line\":$procedure_line}"
}

proc shim::report {limit} {
    variable child
    variable given
    variable written
    variable removed
    variable shapes
    set env [interp eval $child {::tcl::array::get ::env}]
    set size 0
    dict for {name text} $env {
        incr size [expr {[string length $name] + [string length $text]}]
        # Reached by a link from the start, which no trace sees.
        if {![dict exists $written $name] && (![dict exists $given $name] || [dict get $given $name] ne $text)} {
            dict set written $name {0 0}
        }
    }
    if {$size > $limit} {
        fail "its variables have $size characters together, more than $limit" {0 0 {} {} 0}
        return
    }
    set sets {}
    dict for {name place} $written {
        if {![dict exists $env $name]} { continue }
        set shape [expr {[dict exists $shapes $name] ? [dict get $shapes $name] : {}}]
        lappend sets "{[json_place $name $place],\"value\":[json_value [dict get $env $name] $shape {}]}"
    }
    set gone {}
    dict for {name place} $removed {
        if {[dict exists $given $name] && ![dict exists $env $name]} { lappend gone "{[json_place $name $place]}" }
    }
    set all {}
    foreach name [lsort [dict keys $env]] {
        lappend all "\[[json_text $name],[json_text [dict get $env $name]]\]"
    }
    answer "\"set\":[json_list $sets],\"removed\":[json_list $gone],\"env\":[json_list $all]"
}

# ---- The safe interpreter --------------------------------------------------------------------------------------------

proc shim::make_child {} {
    variable child
    variable given
    set child [interp create -safe]
    foreach command {file source glob open pwd puts flush} {
        if {$command in {puts flush}} { interp hide $child $command }
        interp alias $child $command {} shim::$command
    }
    foreach {command reason} {
        exec "start programs" socket "open connections" load "load libraries" unload "load libraries"
        cd "change directories" exit "end the program; leave out what follows by `return`"
        fconfigure "set up files" encoding "change encodings"
    } {
        interp alias $child $command {} shim::unavailable $command $reason
    }
    foreach {subcommand path_length} {set all unset all append 1 incr 1 lappend 1} {
        set alias ::tcl::dict::shim_$subcommand
        interp alias $child $alias {} shim::dict_command $subcommand $path_length
        interp eval $child [list ::namespace ensemble configure dict -map \
            [dict replace [interp eval $child {::namespace ensemble configure dict -map}] $subcommand $alias]]
    }
    dict for {name text} $given {
        interp eval $child [list ::set ::env($name) $text]
    }
    interp alias $child ::array_changed {} shim::array_changed
    interp alias $child ::element_changed {} shim::element_changed
    interp eval $child {::tcl::array::set ::env {}}
    interp eval $child {::trace add variable ::env {write unset} ::array_changed}
    foreach name [dict keys $given] { watch $name }
    # The compiled forms of these commands leave no frame, and with it no line.
    foreach command {set append lappend incr unset} {
        interp hide $child $command
        interp alias $child $command {} interp invokehidden $child $command
    }
}

proc shim::main {request} {
    variable child
    variable dir
    variable roots
    variable given {}
    set channel [::open $request rb]
    set script [next $channel]
    set dir [next $channel]
    set milliseconds [next $channel]
    set limit [next $channel]
    for {set left [next $channel]} {$left > 0} {incr left -1} { lappend roots [real [next $channel]] }
    for {set left [next $channel]} {$left > 0} {incr left -1} {
        set name [next $channel]
        dict set given $name [next $channel]
    }
    close $channel
    cd $dir
    make_child
    set end [expr {[clock milliseconds] + $milliseconds}]
    interp limit $child time -seconds [expr {$end / 1000}] -milliseconds [expr {$end % 1000}]
    # The first script is the one that was asked for, wherever it is.
    lappend roots [real $script]
    set code [catch {source $script} message options]
    interp limit $child time -seconds {}
    if {$code ni {0 2}} {
        # What Tcl says depends on where the limit hit it.
        if {[clock milliseconds] >= $end} { 
            set message "it ran longer than [format %g [expr {$milliseconds / 1000.0}]] s"
        }
        set place [expr {[dict exists $options -place] ? [dict get $options -place] : {0 0 {} {} 0}}]
        fail $message $place
        return
    }
    report $limit
}

shim::main [lindex $argv 0]
