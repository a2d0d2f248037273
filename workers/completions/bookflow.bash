# Completion of bookflow for bash. Everything comes from what its --help says.
# shellcheck shell=bash

_bookflow()
{
    local program=${1/#\~/$HOME} current=$2 previous=$3 verb=${COMP_WORDS[1]} help usage
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$current")
        return
    fi
    help=$("$program" "$verb" --help 2>/dev/null)
    usage=${help%%$'\n\n'*}
    if [[ $current != -* && $usage == *"$previous "[A-Z]* ]]; then # a value: -o default takes it for a file
        usage=
    elif [[ $current != -* && $usage =~ $previous' '([a-z]+'|'[a-z|]+) ]]; then
        usage=${BASH_REMATCH[1]}
    elif ((COMP_CWORD == 2)) && [[ $current != -* ]]; then
        usage=$(sed -n "s/.*bookflow $verb \([a-z]*\).*/\1/p" <<<"$usage")
    else
        usage=$(grep -oE -- '--[a-z-]+' <<<"$help")
    fi
    mapfile -t COMPREPLY < <(compgen -W "${usage//|/ }" -- "$current" | sort -u)
}

complete -o default -F _bookflow bookflow
