# What OpenSTA says of one corner: reports for people, and metrics as lines that tapeout reads. OpenSTA 2.0.17 has no
# checks of loads.
proc report_to {name title} {
    global corner label
    set file [open $corner/$name w]
    puts $file "$title\nThe clock is ideal: there is no clock tree. $label\n"
    close $file
    return $corner/$name
}

proc metric {kind name value} {
    global corner
    # No path at all has a slack without bounds.
    if {$value > 1e29} { set value inf }
    puts "%OL_METRIC_$kind ${name}__corner:$corner $value"
}

set fields {slew capacitance input_pins nets fanout}
foreach {check delay} {setup max hold min} {
    set slack [worst_slack -$delay]
    set violated [find_timing_paths -path_delay $delay -group_count 1000000 -slack_max -0.0000001]
    metric F timing__${check}__ws $slack
    metric F timing__${check}__wns [expr {$slack < 0 ? $slack : 0.0}]
    metric F timing__${check}__tns [total_negative_slack -$delay]
    metric I timing__${check}_vio__count [llength $violated]
    # From register to register: what the design itself takes, whatever is taken to be outside.
    set from [all_registers -clock_pins]
    if {$check eq "setup"} { metric I timing__register__count [llength $from] }
    set to [all_registers -data_pins]
    # No pins are an error to it, not no paths.
    set inner {}
    if {$from != "" && $to != ""} { set inner [find_timing_paths -path_delay $delay -from $from -to $to] }
    if {$inner != ""} { metric F timing__${check}_r2r__ws [get_property [lindex $inner 0] slack] }
    set file [report_to $delay.rpt "Paths with the least slack to $check"]
    report_checks -path_delay $delay -format full_clock_expanded -fields $fields -digits 4 -group_count $paths >> $file
}
set file [report_to slew.rpt "Slews above their limits"]
report_check_types -max_transition -all_violators >> $file
set file [report_to checks.rpt "What the constraints leave open"]
check_setup -verbose >> $file
set file [report_to power.rpt "Power in W"]
report_power -digits 6 >> $file
