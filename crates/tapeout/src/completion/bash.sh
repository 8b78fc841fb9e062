# Completion of @BIN@ for bash 4.4 or later. What may stand at the cursor is asked of the program itself.
@FUNCTION@() {
    # Bash splits words at `=` and `:`, too: words without a blank between them are put together again.
    local rest=${COMP_LINE:0:COMP_POINT} trimmed word i
    local -a words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        trimmed=${rest#"${rest%%[![:blank:]]*}"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$trimmed; fi
        if ((i > 0)) && [[ $trimmed == "$rest" ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        rest=${trimmed#"$word"}
    done
    words[-1]=${words[-1]#[\"\']}
    # Bash replaces only what it takes for the word: the rest is taken off the answers.
    local kept=${words[-1]%"$2"}
    mapfile -t COMPREPLY < <(@VARIABLE@=bash @COMPLETER@ -- "${words[@]}" 2>/dev/null)
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -o bashdefault -o default -F @FUNCTION@ @BIN@
