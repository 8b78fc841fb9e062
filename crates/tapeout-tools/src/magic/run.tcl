# What Magic has of its own, and so is no part of a checkpoint.
set known_procedures [info procs ::*]
set known_variables {}
set known_variables [info globals]
# Magic exits with 0 after an error in a script, and waits for commands behind its end.
if {[catch {source $script} message]} {
    puts stderr "Error: $message"
    puts stderr $errorInfo
    exit 1
}
quit -noprompt
