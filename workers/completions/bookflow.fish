# Completion of bookflow for fish. Everything comes from what its --help says.

function __bookflow_verbs
    bookflow --help | string replace -fr '^  ([a-z]+) +(.*)' '$1\t$2'
end

# The words that may follow: of a value, behind the verb, or the options.
function __bookflow_words
    set -l words (commandline -opc)
    set -l help (bookflow $words[2] --help 2>/dev/null)
    set -l usage (string join \n $help | sed '/^$/q')
    if string match -q -- '--*' $words[-1]
        string match -r -- "$words[-1] ([a-z]*\|[a-z|]*)" $usage | string match -rv -- ^-- | string split '|'
    else if test (count $words) -eq 2; and not string match -q -- '-*' (commandline -ct)
        string replace -fr -- ".*bookflow $words[2] ([a-z][a-z|]*).*" '$1' $usage | string split '|'
    else
        string match -ar -- '--[a-z-]+' $help | sort -u
    end
end

complete -c bookflow -n __fish_use_subcommand -f -a '(__bookflow_verbs)'
complete -c bookflow -n 'not __fish_use_subcommand' -a '(__bookflow_words)'
