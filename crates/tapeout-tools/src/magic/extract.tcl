foreach cell $black_boxes {
    load $cell
    property LEFview true
}
load $design
select top cell
if {$unique ne "none"} {
    extract unique {*}$unique
}
extract no all
extract all
