yosys select -write names.txt x:*
set file [open names.txt]
set ports [read -nonewline $file]
puts "%OL_METRIC_I my__port__count [llength $ports]"
puts "%OL_CREATE_REPORT ports.rpt"
puts $ports
puts "%OL_END_REPORT"
