#compdef bookflow-console
# Completion of bookflow-console for zsh. Ids come from the worker that the line names, with the rest
# of their line as the description.

_bookflow_console_ids()
{
    local -a place bookings
    local option
    for option in --provider --url --token-file --config; do
        (( ${words[(I)$option]} )) && place+=($option "${words[${words[(I)$option]} + 1]}")
    done
    bookings=(${(f)"$(_call_program bookings timeout 2 ${(q)words[1]} ${(q)place} --list $1 2>/dev/null |
        head -n 100 | sed 's/:/\\:/g; s/  */:/')"})
    _describe -V booking bookings
}

local -a verbs=(--plain --list --watch --show --accept --reject --history --health)
local others="($verbs --version --help)"
local -a answers
(( ${words[(I)--accept]} + ${words[(I)--reject]} )) && answers=('*:booking:{ _bookflow_console_ids "--status pending" }')
(( ${words[(I)--show]} )) && answers=('1:booking: _bookflow_console_ids')

_arguments -S \
    "$others--plain[lines and sentences, for screen readers]" \
    "$others--list[the bookings, newest first]" \
    "$others--watch[every change as a line of JSON]" \
    "$others--show[all about one booking]" \
    "$others--accept[accept bookings]" \
    "$others--reject[reject bookings]" \
    "$others--history[the answers given on this computer]" \
    "$others--health[is the worker there, and is its queue?]" \
    "$others--version[print the version]" \
    "$others--help[print the help]" \
    '--status[only those]:status:(pending confirmed rejected cancelled)' \
    "--day[only those of a day]:day:(today tomorrow $(date +%F))" \
    '--reason[what the client is told]:reason:' \
    '--json[print JSON]' \
    '--provider[whose bookings]:provider:' \
    '--url[which worker]:URL:' \
    '--token-file[the token in its first line]:file:_files' \
    '--config[settings]:file:_files' \
    $answers
