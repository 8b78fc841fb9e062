# What a job does: NAME.out tells all that went in, each file with its checksum.
# Arguments: NAME VALUE PAUSE BULK FLAGS, then what goes in: text:WORDS, file:LABEL=PATH, tree:PATH.
set -eu
name=$1 value=$2 pause=$3 bulk=$4 flags=$5
shift 5
echo "$name" >> ../../../ran.log

case $flags in
*stray*) setsid sh -c 'sleep 600; true' < /dev/null > /dev/null 2>&1 & ;;
esac
sleep "$pause"

# LABEL PATH
tell() {
    if ! [ -e "$2" ]; then
        echo "$1 absent"
        return
    fi
    case $flags in
    *strip*) sum=$(grep -v '^#' "$2" | cksum) ;;
    *) sum=$(cksum < "$2") ;;
    esac
    echo "$1 $sum"
}

{
    echo "job $name $value $salt $TOOL_SALT"
    for item; do
        case $item in
        text:*) echo "${item#text:}" ;;
        file:*)
            item=${item#file:}
            tell "${item%%=*}" "${item#*=}"
            ;;
        tree:*)
            queue=${item#tree:}
            while [ -n "$queue" ]; do
                file=${queue%% *}
                queue=${queue#"$file"}
                queue=${queue# }
                echo "../../../$file" >> deps
                tell "$file" "../../../$file"
                [ -e "../../../$file" ] || continue
                while read -r word more; do
                    case $word in
                    include) queue=${queue:+$queue }$more ;;
                    esac
                done < "../../../$file"
            done
            ;;
        esac
    done
} > "$name.out"
case $value in
*[02468]) echo "spare of $name $value" > "$name.spare" ;;
esac
if [ "$bulk" != 0 ]; then
    sum=$(cksum < "$name.out")
    {
        yes "$sum" | head -c "$bulk"
        echo
    } >> "$name.out"
fi
