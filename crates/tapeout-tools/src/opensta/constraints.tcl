# Constraints of a design that has no file of its own: one period for all clocks, and a part of it for what is outside.
set names {}
foreach port $clock_ports {
    if {[get_ports -quiet $port] == ""} {
        set inputs {}
        foreach input [all_inputs] { lappend inputs [get_full_name $input] }
        puts "Error: there is no port `$port`, which `CLOCK_PORT` names; the inputs are [join [lsort -dictionary $inputs] {, }]"
        exit 1
    }
    create_clock -name $port -period $period [get_ports $port]
    lappend names $port
}
# A design without clocks is held against one outside of it.
if {$names == {}} {
    create_clock -name __VIRTUAL_CLK__ -period $period
    lappend names __VIRTUAL_CLK__
}
set inputs {}
foreach port [all_inputs] {
    if {[lsearch -exact $clock_ports [get_full_name $port]] < 0} { lappend inputs $port }
}
set clock [lindex $names 0]
if {$uncertainty != ""} { set_clock_uncertainty $uncertainty [all_clocks] }
if {$transition != "" && $clock_ports != {}} { set_clock_transition $transition [all_clocks] }
if {$derate != ""} {
    set_timing_derate -early [expr {1 - $derate / 100.0}]
    set_timing_derate -late [expr {1 + $derate / 100.0}]
}
if {$io_delay != ""} {
    set delay [expr {$period * $io_delay / 100.0}]
    if {$inputs != {}} { set_input_delay $delay -clock $clock $inputs }
    if {[all_outputs] != {}} { set_output_delay $delay -clock $clock [all_outputs] }
}
if {$driver != "" && $inputs != {}} {
    lassign [split $driver /] cell pin
    set_driving_cell -lib_cell $cell -pin $pin $inputs
}
if {$load != "" && [all_outputs] != {}} { set_load [expr {$load / 1000.0}] [all_outputs] }
if {$max_fanout != ""} { set_max_fanout $max_fanout [current_design] }
if {$max_transition != ""} { set_max_transition $max_transition [current_design] }
if {$max_capacitance != ""} { set_max_capacitance $max_capacitance [current_design] }
