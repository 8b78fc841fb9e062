# Constraints of a design that has no file of its own: one period for all clocks, and a part of it for what is outside.
# OpenSTA goes on after errors: what must not go on is in a procedure.
proc constrain {} {
    foreach name {
        clock_ports period uncertainty transition derate io_delay driver load max_fanout max_transition max_capacitance
    } { global $name }
    set inputs {}
    set names {}
    foreach port [all_inputs] {
        lappend names [get_full_name $port]
        if {[lsearch -exact $clock_ports [get_full_name $port]] < 0} { lappend inputs $port }
    }
    foreach port $clock_ports {
        if {[lsearch -exact $names $port] < 0} {
            set names [join [lsort -dictionary $names] {, }]
            puts "Error: there is no input port `$port`, which `CLOCK_PORT` names; there are $names"
            return
        }
        create_clock -name $port -period $period [get_ports $port]
    }
    set clock [lindex $clock_ports 0]
    # A design without clocks is held against one outside of it.
    if {$clock == ""} {
        set clock __VIRTUAL_CLK__
        create_clock -name $clock -period $period
    } elseif {$transition != ""} {
        set_clock_transition $transition [all_clocks]
    }
    if {$uncertainty != ""} { set_clock_uncertainty $uncertainty [all_clocks] }
    if {$derate != ""} {
        set_timing_derate -early [expr {1 - $derate / 100.0}]
        set_timing_derate -late [expr {1 + $derate / 100.0}]
    }
    set outputs [all_outputs]
    if {$io_delay != ""} {
        set delay [expr {$period * $io_delay / 100.0}]
        if {$inputs != ""} { set_input_delay $delay -clock $clock $inputs }
        if {$outputs != ""} { set_output_delay $delay -clock $clock $outputs }
    }
    if {$driver != "" && $inputs != ""} {
        lassign [split $driver /] cell pin
        set_driving_cell -lib_cell $cell -pin $pin $inputs
    }
    if {$load != "" && $outputs != ""} { set_load [expr {$load / 1000.0}] $outputs }
    if {$max_fanout != ""} { set_max_fanout $max_fanout [current_design] }
    if {$max_transition != ""} { set_max_transition $max_transition [current_design] }
    if {$max_capacitance != ""} { set_max_capacitance $max_capacitance [current_design] }
}
constrain
