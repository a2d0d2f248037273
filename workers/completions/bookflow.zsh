#compdef bookflow
# Completion of bookflow for zsh. Everything comes from what its --help says.

local -a words_of
local help usage
if (( CURRENT == 2 )); then
    words_of=(${(f)"$(_call_program verbs ${(q)words[1]} --help | sed -n 's/^  \([a-z]*\)  *\(.*\)/\1:\2/p')"})
    _describe verb words_of
    return
fi
help=$(_call_program usage ${(q)words[1]} ${(q)words[2]} --help 2>/dev/null)
usage=${help%%$'\n\n'*}
if [[ ${words[CURRENT-1]} == --* && ${words[CURRENT]} != --* ]]; then
    words_of=(${(s:|:)$(sed -n "s/.*${words[CURRENT-1]} \([a-z]*|[a-z|]*\).*/\1/p" <<<$usage | head -n 1)})
elif (( CURRENT == 3 )) && [[ ${words[CURRENT]} != -* ]]; then
    words_of=($(sed -n "s/.*bookflow ${words[2]} \([a-z][a-z|]*\).*/\1/p" <<<$usage | tr '|' ' '))
else
    words_of=($(grep -oE -- '--[a-z-]+' <<<$help | sort -u))
fi
compadd -a words_of || _files
