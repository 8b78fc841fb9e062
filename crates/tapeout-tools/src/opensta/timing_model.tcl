# What a parent must know of the timing of a block, measured: lines that tapeout makes a Liberty model of. All times count
# from the rising edge of the clock, which reaches all registers at once.
set edges {rise fall}

proc constrain {} {
    global clock_ports period transition outside
    set inputs {}
    foreach port [all_inputs] {
        if {[lsearch -exact $clock_ports [get_full_name $port]] < 0} { lappend inputs $port }
    }
    foreach port $clock_ports {
        create_clock -name $port -period $period [get_ports $port]
        if {$transition != ""} { set_clock_transition $transition [get_clocks $port] }
    }
    create_clock -name $outside -period $period
    if {$inputs != ""} { set_input_delay 0 -clock $outside $inputs }
    if {[all_outputs] != ""} { set_output_delay 0 -clock $outside [all_outputs] }
    return $inputs
}

# The slews that a driving cell makes at the inputs. Its own delay is none of the block's: the parent has it.
proc input_slews {} {
    global driver edges
    set inputs [constrain]
    if {$driver == "" || $inputs == ""} { return {} }
    lassign [split $driver /] cell pin
    set_driving_cell -lib_cell $cell -pin $pin $inputs
    find_timing_paths
    set slews {}
    foreach port $inputs {
        foreach edge $edges {
            lappend slews [list [get_full_name $port] $edge [get_property $port actual_${edge}_transition_max]]
        }
    }
    return $slews
}

proc paths {delay args} { return [find_timing_paths -path_delay $delay -group_count 1000000 {*}$args] }

# Delays to all outputs from one kind of start.
proc measure_delays {file related from load} {
    global edges period
    foreach edge $edges {
        foreach delay {max min} {
            foreach path [paths $delay -from $from -${edge}_to [all_outputs]] {
                set port [get_property $path endpoint]
                set slack [get_property $path slack]
                set time [expr {$delay == "max" ? $period - $slack : $slack}]
                set slew [get_property $port actual_${edge}_transition_$delay]
                puts $file "delay $related [get_full_name $port] $edge $delay $load $time $slew"
            }
        }
    }
}

# Derating in a parent reaches delays of cells, not their constraints: those have it inside.
proc derate {percent} {
    set_timing_derate -early [expr {1 - $percent / 100.0}]
    set_timing_derate -late [expr {1 + $percent / 100.0}]
}

proc measure {file slews} {
    global clock_ports period loads edges derate
    set inputs [constrain]
    foreach slew $slews {
        lassign $slew port edge value
        set_input_transition -$edge $value [get_ports $port]
    }
    foreach port [all_inputs] {
        set net [get_nets -quiet [get_full_name $port]]
        if {$net == ""} { continue }
        set most 0
        foreach edge $edges {
            # Of the object, in farads.
            set most [expr {max($most, [[lindex $net 0] capacitance $edge [sta::cmd_corner] max] * 1e12)}]
        }
        puts $file "capacitance [get_full_name $port] $most"
    }
    if {$derate != ""} { derate $derate }
    foreach port $inputs {
        foreach clock $clock_ports {
            foreach edge $edges {
                foreach {check delay} {setup max hold min} {
                    set path [paths $delay -${edge}_from $port -to [get_clocks $clock]]
                    if {$path == ""} { continue }
                    set slack [get_property [lindex $path 0] slack]
                    set time [expr {$check == "setup" ? $period - $slack : -$slack}]
                    puts $file "check $check $clock [get_full_name $port] $edge $time"
                }
            }
        }
    }
    if {$derate != ""} { derate 0 }
    if {[all_outputs] == ""} { return }
    set through {}
    foreach port $inputs {
        if {[paths max -from $port -to [all_outputs]] != ""} { lappend through $port }
    }
    foreach load $loads {
        set_load $load [all_outputs]
        foreach clock $clock_ports { measure_delays $file $clock [get_clocks $clock] $load }
        foreach port $through { measure_delays $file [get_full_name $port] $port $load }
    }
}

set outside __OUTSIDE__
file mkdir $corner
load_design
set slews [input_slews]
# Without the driving cell.
load_design
set file [open $corner/model.txt w]
measure $file $slews
puts $file end
close $file
