# Of the whole layout there are the layers that it uses, which the abstract hides.
lef write $full
if {$pin_only} {
    lef write $lef -pinonly
} else {
    lef write $lef -hide
}
