#!/usr/bin/env bash
# The console's screens in a real terminal: find, order, marks, overlaps, the day, the menu, the
# mouse, the window's title and the clipboard.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

provider=salon-1

mux()
{
    tmux -S "$work/tmux" -f /dev/null "$@"
}

# The server of the terminals is not our child.
end_terminals()
{
    mux kill-server 2>/dev/null || true
    clean_up
}
trap end_terminals EXIT

keys()
{
    mux send-keys -t t "$@"
}

# Leaves the screen where a failure prints it.
shows()
{
    mux capture-pane -p -t t >"$work/screen.log"
    grep -qE -- "$1" "$work/screen.log"
}

sees()
{
    until_true 20 "the screen shows: $1" shows "$1"
}

hides()
{
    ! shows "$1"
}

# For a moment behind Escape no key acts: the rest of a split arrow key could follow.
is_heard()
{
    keys C-c
    shows 'Press q to quit'
}

pane_is()
{
    [[ $(mux display-message -p -t t "$1") == "$2" ]]
}

# console COLUMNS LINES [VARIABLE=VALUE]
console()
{
    mux kill-session -t t 2>/dev/null || true
    mux new-session -d -s t -x "$1" -y "$2" "exec env -i PATH='$PATH' HOME='$work/home' \
        TERM=screen-256color LC_ALL=C.UTF-8 TZ=UTC ESCDELAY=25 ASAN_OPTIONS='${ASAN_OPTIONS-}' \
        UBSAN_OPTIONS='${UBSAN_OPTIONS-}' BOOKFLOW_URL='${url[w]}' BOOKFLOW_PROVIDER=$provider \
        ${3-} bash --norc -c '\"$build/tui/bookflow-console\" 2>\"$work/stderr.log\"; echo left with \$?; exec cat'"
    sees '\[LIVE\]'
}

# slot ID HH:MM MINUTES: tomorrow.
slot()
{
    local start
    start=$(date -u -d "tomorrow $2" +%s)
    post "${url[w]}/providers/$provider/slots" "$(jq -cn --arg id "$1" --argjson from "$start" \
        --argjson to $((start + 60 * $3)) '{$id, start: ($from | todate), end: ($to | todate)}')"
    expect_status 201 "slot $1"
}

# asks SLOT HH:MM MINUTES NAME: a user of that name books a slot of his own; $id
asks()
{
    http PUT "${url[w]}/users/$1" "${json[@]}" -d "$(jq -cn --arg name "$4" '{$name}')"
    slot "$1" "$2" "$3"
    book w "$1" "$1"
}

is_status()
{
    get "${url[w]}/bookings/$1"
    [[ $(field .status) == "$2" ]]
}

expect_pending()
{
    is_status "$1" pending || fail "$2"
}

# --- The tests. One console, one after the other.

declare -A of

everybody_asks()
{
    asks one 09:00 45 'Zoë Müller'
    of[zoe]=$id
    asks two 09:30 45 'José da Silva'
    of[jose]=$id
    asks three 11:00 30 '山田 太郎'
    of[yamada]=$id
    asks four 14:00 30 'Anne-Marie Dupont-Lefèvre'
    of[anne]=$id
    sees 'Anne-Marie Dupont'
}

titles()
{
    until_true 20 'the title counts' pane_is '#{pane_title}' "4 waiting - $provider"
    ok 'the title of the window counts who waits'
}

finds_and_orders()
{
    keys /
    sees '^Find: _'
    keys m U
    keys l
    sees 'found 1 of 4'
    hides 'José' || fail 'what does not match is hidden'
    keys r
    sees 'Nothing matches "mulr"\.  4 requests hidden\.   Esc Show all'
    keys Escape
    until_true 20 'keys are heard again after Escape' is_heard
    sees 'José'
    sees '^>.*Zoë'
    keys o
    sees 'by start time'
    keys o
    sees 'by name'
    shows '^>.*Zoë' || fail 'another order keeps the row'
    keys o
    sees 'oldest waits'
    ok 'finds without accents and case, and orders'
}

overlaps_are_asked_about()
{
    keys g a
    sees 'ACCEPT [0-9]+s .*Zoë'
    keys s
    until_true 20 'accepted' is_status "${of[zoe]}" confirmed
    keys j
    sees '^>.*José'
    sees '! Overlaps 09:00-09:45, Zoë Müller \(accepted\)'
    keys a
    sees 'Accept José da Silva\?'
    sees '> 0 Go back'
    keys a Enter
    sees 'a Accept  r Reject'
    expect_pending "${of[jose]}" 'an overlap is accepted by default'
    shows 'will be sent' && fail 'an overlap is staged by default'
    ok 'an overlap is said and asked about; the default goes back'
}

bulk_offers_what_is_free()
{
    local count
    for count in 1 2 3; do
        keys Space
        sees "$count marked"
        keys Down
    done
    keys a
    sees 'Accept 3 requests\?'
    sees '! José da Silva, Tomorrow 09:30-10:15 overlaps 09:00-09:45, Zoë Müller'
    keys y
    sees '2 answers: ACCEPT will be sent in'
    keys u
    sees 'taken back'
    hides 'will be sent' || fail 'they are taken back together'
    ok 'marked requests are accepted together, without what overlaps'
}

shows_the_day()
{
    keys g 2
    sees '^>   09:30-10:15 +José'
    sees '  !   overlaps 09:00-09:45, Zoë Müller \(accepted\)'
    sees '10:15-11:00  free, 45 min'
    keys Down
    sees '^>   11:00-11:30 +山田'
    keys l
    hides '山田' || sees 'TIME'
    keys h Down
    sees '^>   09:30'
    keys 1
    sees '^>.*José'
    ok 'the day names what is booked, requested, free and overlapping'
}

# Nothing but arrows, Enter and Escape.
works_without_letters()
{
    keys Down Enter
    sees '> 0 +Go back'
    keys Down Down
    sees '^> a +accept'
    keys Enter
    sees 'ACCEPT [0-9]+s .*山田'
    keys Enter
    sees 'send now'
    until_true 20 'the menu has undo' menu_at undo
    keys Enter
    sees 'taken back'
    keys Enter
    until_true 20 'the menu has quit' menu_at quit
    keys Enter
    sees 'left with 0'
    ok 'the menu reaches what the keys do'
}

# Goes down one line until the cursor is at that choice.
menu_at()
{
    shows "^> .*$1\$" || { keys Down && false; }
}

wide_screens_show_more_at_once()
{
    console 100 24
    sees 'CLIENT +-- Request'
    console 140 40
    sees 'CLIENT +-- Request'
    sees '-- Tomorrow, '
    keys Tab
    sees '\[2 Day\]'
    sees '^ .* >   09:30-10:15 +José'
    keys 1
    ok 'wide screens show list, detail and day side by side'
}

mouse_selects_only()
{
    console 80 24
    keys g
    sees '^>.*José'
    keys F2
    until_true 20 'the mouse is on' pane_is '#{mouse_any_flag}' 1
    keys -l $'\e[M *%' # button, column, line: the second row
    sees '^>.*山田'
    hides 'will be sent' || fail 'a click acts'
    keys F2
    until_true 20 'the mouse is off' pane_is '#{mouse_any_flag}' 0
    ok 'the mouse selects when it is asked for'
}

copies()
{
    mux set-option -g set-clipboard on
    keys y
    sees 'Copied: 山田 太郎, Tomorrow 11:00-11:30'
    until_true 20 'it is in the clipboard' clipboard_has "山田 太郎, Tomorrow 11:00-11:30, ${of[yamada]}"
    ok 'a request is copied to the clipboard'
}

# tmux hands on only what is wrapped for it.
copies_through_tmux()
{
    keys q
    sees 'left with 0'
    console 80 24 TMUX=x
    mux pipe-pane -t t "cat >'$work/bytes'"
    keys y
    sees 'Copied: '
    until_true 20 'what is copied is wrapped' grep -q $'\ePtmux;\e\e]52;c;[A-Za-z0-9+/=]*\a\e\\\\' "$work/bytes"
    ok 'inside tmux what is copied is wrapped for it'
}

clipboard_has()
{
    [[ $(mux show-buffer 2>/dev/null) == "$1" ]]
}

leaves_no_trace()
{
    keys q
    sees 'left with 0'
    until_true 20 'the title is cleared' pane_is '#{pane_title}' ''
    pane_is '#{mouse_any_flag}#{alternate_on}' 00 || fail 'the terminal is as it was'
    ok 'the title is cleared on the way out'
}

a_crash_leaves_none_either()
{
    console 80 24
    keys F2
    until_true 20 'the mouse is on' pane_is '#{mouse_any_flag}' 1
    until_true 20 'there is a title' pane_is '#{pane_title}' "3 waiting - $provider"
    kill -SEGV "$(pgrep -P "$(mux display-message -p -t t '#{pane_pid}')" -f bookflow-console)"
    sees 'left with'
    pane_is '#{mouse_any_flag}#{alternate_on}#{pane_title}' 00 || fail 'the terminal is as it was'
    ok 'nor does a crash leave the mouse or a title behind'
}

mkdir -p "$work/home"
mux new-session -d -s keeper cat # so that the server of the terminals stays between two tests
start_worker w all
console 80 24
everybody_asks
titles
finds_and_orders
overlaps_are_asked_about
bulk_offers_what_is_free
shows_the_day
works_without_letters
wide_screens_show_more_at_once
mouse_selects_only
copies
copies_through_tmux
leaves_no_trace
a_crash_leaves_none_either
finish
