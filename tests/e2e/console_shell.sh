#!/usr/bin/env bash
# What is installed beside the programs: completion in each shell, tried by pressing Tab, and manual
# pages that leave nothing out.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

provider=salon-1
terminal=
share=$work/root/share

mux()
{
    tmux -L "$terminal" -f /dev/null "$@"
}

screen()
{
    mux capture-pane -p -t t
}

screen_has()
{
    screen | grep -qE -- "$1"
}

# shell COMMAND...: in a terminal, with the installed programs in front.
shell()
{
    terminal=$test_name-$$-${1%% *} # a name is not free at once when its server ends
    mux new-session -d -s t -x 100 -y 30 "exec env -i PATH=$work/root/bin:$PATH HOME=$work/home TERM=screen \
        TZ=UTC LC_ALL=C.UTF-8 ASAN_OPTIONS=${ASAN_OPTIONS-} UBSAN_OPTIONS=${UBSAN_OPTIONS-} \
        BOOKFLOW_URL=${url[w]} BOOKFLOW_PROVIDER=$provider ZDOTDIR=$work/home $*"
    until_true 20 "$1 is ready" screen_has '^ready *$'
}

shell_ends()
{
    mux kill-server
}

# tab LINE PATTERN: the line and Tab, and the pattern shows up; then a line that is new.
tab()
{
    mux send-keys -t t -l "$1"
    mux send-keys -t t Tab
    until_true 20 "\"$1\" and Tab give $2: $(screen)" screen_has "$2"
    mux send-keys -t t C-c
    mux send-keys -t t C-l
    until_true 20 'the screen is empty' screen_has '^ready *$'
}

tabs()
{
    tab 'bookflow-console --li' '^ready bookflow-console --list ?$'
    tab 'bookflow-console --list --status rej' '--status rejected ?$'
    tab 'bookflow-console --list --day tom' '--day tomorrow ?$'
    tab "bookflow-console --show ${id:0:34}" "--show $id"
    tab "bookflow-console --url ${url[w]} --reject ${id:0:34}" "--reject $id"
    tab 'bookflow-console --config ho' '--config home/ ?$'
    tab 'bookflow serv' '^ready bookflow serve ?$'
    tab 'bookflow slots gen' '^ready bookflow slots generate ?$'
    tab 'bookflow dlq list --queue con' '--queue confirmation ?$'
    tab 'bookflow queues --js' '--json ?$'
    tab 'bookflow audit ho' 'audit home/ ?$'
}

in_bash()
{
    cat >"$work/home/bashrc" <<'BASHRC'
PS1='ready '
for file in "$HOME"/../root/share/bash-completion/completions/*; do source "$file"; done
BASHRC
    shell "bash --noprofile --rcfile $work/home/bashrc -i"
    tabs
    shell_ends
    ok 'bash completes'
}

in_zsh()
{
    command -v zsh >/dev/null || { ok 'zsh is not here' && return; }
    printf "%s\n" "fpath=($share/zsh/site-functions \$fpath)" 'autoload -U compinit' 'compinit -u -D' "PS1='ready '" \
        >"$work/home/.zshrc"
    shell 'zsh -d -i'
    tabs
    shell_ends
    ok 'zsh completes'
}

# fish_completes LINE WORD
fish_completes()
{
    # shellcheck disable=SC2016 # these are fish's variables
    env -i PATH="$work/root/bin:$PATH" HOME="$work/home" TZ=UTC LC_ALL=C.UTF-8 XDG_DATA_DIRS="$share" \
        ASAN_OPTIONS="${ASAN_OPTIONS-}" BOOKFLOW_URL="${url[w]}" BOOKFLOW_PROVIDER=$provider \
        fish --no-config -c 'for file in $argv[2..]; source $file; end; complete -C $argv[1]' -- "$1" \
        "$share"/fish/vendor_completions.d/*.fish >"$work/fish"
    cut -f 1 "$work/fish" | grep -qx -- "$2" || fail "fish completes \"$1\" to $2: $(cat "$work/fish")"
}

in_fish()
{
    command -v fish >/dev/null || { ok 'fish is not here' && return; }
    fish_completes 'bookflow-console --li' --list
    fish_completes 'bookflow-console --list --status rej' rejected
    fish_completes 'bookflow-console --list --day ' tomorrow
    fish_completes "bookflow-console --show ${id:0:8}" "$id"
    fish_completes "bookflow-console --url ${url[w]} --reject ${id:0:8}" "$id"
    fish_completes 'bookflow serv' serve
    fish_completes 'bookflow slots gen' generate
    fish_completes 'bookflow dlq list --queue ' confirmation
    fish_completes 'bookflow queues --js' --json
    ok 'fish completes'
}

# Every option of the help is in the manual and in each shell's file, and nothing more is.
nothing_left_out()
{
    local options settings
    options=$("$work/root/bin/bookflow-console" --help | grep -oE -- '--[a-z-]+' | sort -u)
    (($(wc -l <<<"$options") > 10)) || fail 'the help names the options'
    same 'the options of the manual' "$options" "$(sed -n '/^\.Sh OPTIONS/,/^\.Sh KEYS/s/^\.It Fl \(-[a-z-]*\).*/-\1/p' \
        "$share/man/man1/bookflow-console.1" | sort -u)"
    same 'the options of zsh' "$options" "$(grep -oE -- '--[a-z-]+\[' "$share/zsh/site-functions/_bookflow-console" |
        tr -d '[' | sort -u)"
    same 'the options of fish' "$options" "$(sed -n 's/^complete -c bookflow-console -l \([a-z-]*\).*/--\1/p' \
        "$share/fish/vendor_completions.d/bookflow-console.fish" | sort -u)"
    printf 'x = y\n' >"$work/bad.conf"
    "$work/root/bin/bookflow-console" --config "$work/bad.conf" --list 2>"$work/settings" || true
    settings=$(sed -n 's/.*there are \(.*\), and key.*/\1/p' "$work/settings")
    same 'the settings of the manual' "$(tr ' ' '\n' <<<"$settings key" | sort)" \
        "$(sed -n 's/^\.It Cm \([a-z_]*\).*/\1/p' "$share/man/man5/bookflow-console.conf.5" | sort)"
    ok 'manual and completion name every option and setting'
}

manual()
{
    local page
    for page in man1/bookflow-console.1 man5/bookflow-console.conf.5; do
        [[ -s $share/man/$page ]] || fail "$page is installed"
        ! command -v mandoc >/dev/null || mandoc -Tlint -W warning "$share/man/$page" || fail "$page is well-formed"
    done
    # The example is a file that the console takes.
    sed -n '/^\.Bd/,/^\.Ed/{/^\./!p}' "$share/man/man5/bookflow-console.conf.5" >"$work/example.conf"
    BOOKFLOW_URL=${url[w]} "$work/root/bin/bookflow-console" --config "$work/example.conf" --token-file <(echo t) \
        --list >/dev/null || fail 'the example of the manual works'
    ok 'the manual pages are installed and well-formed'
}

mkdir -p "$work/home"
cmake --install "$build" --prefix "$work/root" >"$work/install.log"
start_worker w all
make_slots w $provider shell 2
book w shell-1 ann
until_true 20 'the booking reaches the provider' reaches w "/providers/$provider/bookings/$id" .
cd "$work"
trap 'shell_ends 2>/dev/null || true; clean_up' EXIT
nothing_left_out
manual
in_bash
in_zsh
in_fish
finish
