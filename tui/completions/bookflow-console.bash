# Completion of bookflow-console for bash. The options are those of its --help; ids come from the
# worker that the line names.
# shellcheck shell=bash

# _bookflow_console_ids PROGRAM CURRENT LIST_ARGUMENT...
_bookflow_console_ids()
{
    local program=$1 current=$2 i
    local -a words place=()
    shift 2
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}" # COMP_WORDS would split a URL
    for ((i = 1; i + 1 < ${#words[@]}; i++)); do
        case ${words[i]} in
        --provider | --url | --token-file | --config) place+=("${words[i]}" "${words[i + 1]}") ;;
        esac
    done
    mapfile -t COMPREPLY < <(timeout 2 "$program" "${place[@]}" --list "$@" 2>/dev/null |
        awk -v current="$current" 'index($1, current) == 1 { print $1; if (++found == 100) exit }')
}

_bookflow_console()
{
    local program=${1/#\~/$HOME} current=$2 previous=$3
    case $previous in
    --status) mapfile -t COMPREPLY < <(compgen -W 'pending confirmed rejected cancelled' -- "$current") ;;
    --day) mapfile -t COMPREPLY < <(compgen -W "today tomorrow $(date +%F)" -- "$current") ;;
    --token-file | --config) compopt -o default ;;
    --provider | --url | --reason) ;;
    *)
        if [[ $current == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | grep -oE -- '--[a-z-]+')" -- "$current" | sort -u)
        elif [[ " $COMP_LINE" == *' --show '* ]]; then
            _bookflow_console_ids "$program" "$current"
        elif [[ " $COMP_LINE" =~ ' --'(accept|reject)' ' ]]; then
            _bookflow_console_ids "$program" "$current" --status pending
        fi
        ;;
    esac
}

complete -F _bookflow_console bookflow-console
