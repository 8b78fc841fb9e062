gds readonly true
gds rescale false
foreach pattern $flatten {
    gds flatglob $pattern
}
foreach file $layouts {
    gds read $file
}
load $design
# The labels of a GDS are no ports yet.
if {$ports} {
    select top cell
    port makeall
}
