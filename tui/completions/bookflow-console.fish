# Completion of bookflow-console for fish. Ids come from the worker that the line names, with the rest
# of their line as the description.

function __bookflow_console_ids
    set -l words (commandline -opc)
    set -l place
    for option in --provider --url --token-file --config
        if set -l i (contains -i -- $option $words)
            set -a place $option $words[(math $i + 1)]
        end
    end
    timeout 2 $words[1] $place --list $argv 2>/dev/null | head -n 100 | string replace -r ' +' \t
end

function __bookflow_console_has
    for option in $argv
        contains -- $option (commandline -opc); and return 0
    end
    return 1
end

complete -c bookflow-console -f
complete -c bookflow-console -l plain -d 'lines and sentences, for screen readers'
complete -c bookflow-console -l list -d 'the bookings, newest first'
complete -c bookflow-console -l watch -d 'every change as a line of JSON'
complete -c bookflow-console -l show -d 'all about one booking'
complete -c bookflow-console -l accept -d 'accept bookings'
complete -c bookflow-console -l reject -d 'reject bookings'
complete -c bookflow-console -l history -d 'the answers given on this computer'
complete -c bookflow-console -l health -d 'is the worker there, and is its queue?'
complete -c bookflow-console -l version -d 'print the version'
complete -c bookflow-console -l help -d 'print the help'
complete -c bookflow-console -l status -x -a 'pending confirmed rejected cancelled' -d 'only those'
complete -c bookflow-console -l day -x -a 'today tomorrow (date +%F)' -d 'only those of a day'
complete -c bookflow-console -l reason -x -d 'what the client is told'
complete -c bookflow-console -l json -d 'print JSON'
complete -c bookflow-console -l provider -x -d 'whose bookings'
complete -c bookflow-console -l url -x -d 'which worker'
complete -c bookflow-console -l token-file -r -F -d 'the token in its first line'
complete -c bookflow-console -l config -r -F -d 'settings'
complete -c bookflow-console -n '__bookflow_console_has --show' -a '(__bookflow_console_ids)' -k
complete -c bookflow-console -n '__bookflow_console_has --accept --reject' -a '(__bookflow_console_ids --status pending)' -k
