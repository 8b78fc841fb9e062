
# Magic exits with 0 after an error in a script, and waits for commands behind its end.
if {[catch {source $script} message]} {
    puts stderr "Error: $message"
    puts stderr $errorInfo
    exit 1
}
quit -noprompt
