select top cell
if {$plain} {
    cif *hier write disable
    cif *array write disable
}
gds merge $merge
gds polygon subcells $subcells
gds write $gds
