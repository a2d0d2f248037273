#!/usr/bin/env bash
# The console in lines: a dialogue with the real worker, as somebody with a screen reader has it, and as
# a script has it.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

provider=salon-1
console_pid='' heard=0

exec_console()
{
    exec env -i PATH="$PATH" HOME="$work/home" TZ=UTC LC_ALL=C.UTF-8 TERM=dumb \
        ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" \
        BOOKFLOW_URL="${url[w]}" BOOKFLOW_PROVIDER=$provider "$build/tui/bookflow-console" "$@"
}

# open_console: in the background; `types` speaks to it, `says` hears it.
open_console()
{
    rm -f "$work/typed"
    mkfifo "$work/typed"
    : >"$work/said"
    heard=0
    exec_console --plain <"$work/typed" >"$work/said" 2>"$work/errors" &
    console_pid=$!
    helpers+=("$console_pid")
    exec {typed}>"$work/typed"
}

types()
{
    printf '%s\n' "$1" >&"$typed"
}

# since_heard: what was said behind the last sentence that was waited for.
since_heard()
{
    tail -n "+$((heard + 1))" "$work/said"
}

is_said()
{
    since_heard | grep -qE -- "$1"
}

# says PATTERN: waits for the sentence; what comes next is behind it.
says()
{
    until_true 30 "\"$1\" is said, not: $(since_heard)" is_said "$1"
    heard=$((heard + $(since_heard | grep -nE -m 1 -- "$1" | cut -d : -f 1)))
}

ends()
{
    local code=0
    exec {typed}>&-
    until_true 40 'the console ends' is_gone "$console_pid"
    wait "$console_pid" || code=$?
    same 'the console ends with' "$1" "$code"
    ! LC_ALL=C grep -q '[[:cntrl:]]' "$work/said" || fail 'nothing but letters is said'
}

is_here()
{
    reaches w "/providers/$provider/bookings/$1" ".status == \"${2-pending}\""
}

asked()
{
    book w "$1" "$2"
    until_true 20 "$1 reaches the provider" is_here "$id"
}

dialogue()
{
    asked plain-1 ann
    local ann=$id
    asked plain-2 bob
    local bob=$id
    open_console
    says '^LIVE, 2 waiting\.$'
    says '^1: ann, Tomorrow 08:00-08:10, waits 0 min\.$'
    says '^2: bob, '
    types 'accept 1'
    says '^ann: ACCEPT will be sent in 10 seconds\. Type u within 10 seconds to take it back\.$'
    is_here "$ann" || fail 'nothing is sent while it can be taken back'
    types u
    says '^ann: ACCEPT taken back\. Nothing was sent\.$'
    types 'reject 2'
    says '^Reject bob\?$'
    says '^2: Please choose another day\.$'
    types 2
    says '^bob: REJECT will be sent'
    types s
    says '^bob: REJECT delivered\.$'
    is_here "$bob" rejected || fail 'the worker knows'
    same 'the reason arrives' 'Please choose another day' "$(field .reason)"
    asked plain-3 cleo
    says '^A new request\.$'
    says '^3: cleo, '
    types 3
    says '^Type accept or reject\.$'
    types a
    says '^cleo: ACCEPT will be sent'
    post "${url[w]}/bookings/$id/cancel"
    says '^cleo: ACCEPT NOT DONE\. '
    ok 'accept, undo, reject with a reason, an arrival, a cancellation meanwhile'
}

overlap()
{
    http POST "${url[w]}/providers/$provider/slots" "${json[@]}" -d \
        "{\"slots\":[{\"id\":\"over-1\",\"start\":\"$(a_day 3 10:00)\",\"end\":\"$(a_day 3 11:00)\"},
                     {\"id\":\"over-2\",\"start\":\"$(a_day 3 10:30)\",\"end\":\"$(a_day 3 11:30)\"}]}"
    expect_status 201 'two slots that overlap'
    asked over-1 tom
    post "${url[w]}/providers/$provider/bookings/$id/accept"
    expect_status 200 'one is booked'
    asked over-2 uma
    says '^[0-9]+: uma, '
    local number
    number=$(sed -n 's/^\([0-9]*\): uma, .*/\1/p' "$work/said" | tail -n 1)
    types "accept $number"
    says '^Accept uma\?$'
    says 'Overlaps 10:00-11:00, tom \(accepted\)$'
    types ''
    says '^Nothing happened\.$'
    types "accept $number"
    says '^1: Accept all the same\.$'
    types 1
    says '^uma: ACCEPT will be sent'
    types send
    says '^uma: ACCEPT delivered\.$'
    ok 'an overlap is asked about'
}

outage()
{
    local port=${url[w]#http://}
    types 1
    says '^Type accept or reject\.$'
    stop_worker w
    says '^OFFLINE [0-9:]*, [0-9]+ waiting\.$'
    types 'accept 1'
    says '^ann: ACCEPT kept, not sent\. Type s to send, u to take back\.$'
    types s
    says 'There is no connection'
    start_worker w all BOOKFLOW_LISTEN="$port"
    types F5
    says '^LIVE, [0-9]+ waiting\.$'
    says '^ann: ACCEPT kept, not sent\.'
    types s
    says '^ann: ACCEPT delivered\.$'
    ok 'an outage keeps the answer until it is sent by hand'
}

leaving()
{
    asked plain-4 dora
    says '^[0-9]+: dora, '
    types 'accept' # without a number: ann was talked about, and is answered
    says '^This request is answered already\.$'
    types quit
    ends 0
    ok 'quit leaves'
}

# Killed while an answer is staged: it was not sent, and the next start shows it.
killed()
{
    open_console
    says '^1: dora, '
    types 'accept 1'
    says '^dora: ACCEPT will be sent'
    kill -KILL "$console_pid"
    wait "$console_pid" 2>/dev/null || true
    exec {typed}>&-
    is_here "$id" || fail 'nothing was sent'
    open_console
    says '^dora: ACCEPT kept, not sent\.'
    types send
    says '^dora: ACCEPT delivered\.$'
    types history
    says ': accept dora, delivered$'
    types quit
    ends 0
    ok 'what was staged when it was killed is not sent, and shown'
}

# A script: its lines wait until the list is there, and what was sent gets its outcome.
script()
{
    asked plain-5 emil
    printf 'accept 1\nsend\n' >"$work/script"
    exec_console_with_input "$work/script"
    grep -qE '^emil: ACCEPT (recorded|delivered)\.$' "$work/said" || fail "the outcome: $(cat "$work/said")"
    is_here "$id" confirmed || fail 'it was sent'
    asked plain-6 fay
    printf 'accept 1' >"$work/script"
    exec_console_with_input "$work/script"
    grep -q '1 not sent' "$work/errors" || fail 'what is staged when the input ends is not sent, and said'
    is_here "$id" || fail 'nor is it sent'
    { head -c 50000 /dev/zero | tr '\0' 'x'; printf 'accept 1\n\xff\nund\0o\nundo\nquit\n'; } >"$work/script"
    exec_console_with_input "$work/script"
    same 'a line without end' 1 "$(grep -c '^That line is too long' "$work/said")"
    ! grep -q 'means nothing' "$work/said" || fail 'and all of it is dropped'
    same 'what is no text' 2 "$(grep -c '^That is not text in UTF-8\.$' "$work/said")"
    grep -q '^fay: ACCEPT taken back' "$work/said" || fail "the answer that was left is taken back: $(cat "$work/said")"
    ok 'a script'
}

exec_console_with_input()
{
    (exec_console --plain <"$1" >"$work/said" 2>"$work/errors") || fail "a script ends with $?: $(cat "$work/errors")"
}

mux()
{
    tmux -L "plain-$$" -f /dev/null "$@"
}

screen_has()
{
    mux capture-pane -p -t t | grep -qE -- "$1"
}

terminal()
{
    mux new-session -d -s t -x 80 -y 30 "exec env TERM=dumb TZ=UTC LC_ALL=C.UTF-8 \
        HOME=$work/home ASAN_OPTIONS=${ASAN_OPTIONS-} UBSAN_OPTIONS=${UBSAN_OPTIONS-} BOOKFLOW_URL=${url[w]} \
        BOOKFLOW_PROVIDER=$provider bash --norc --noprofile -c '$build/tui/bookflow-console; echo code \$?
        $build/tui/bookflow-console --plain; echo left with \$?; read'"
    until_true 20 'a terminal without a cursor gets no screen' screen_has '^code 2'
    screen_has 'TERM=dumb cannot show a screen; use --list' || fail 'and is told what to do'
    until_true 20 'fay waits' screen_has '^1: fay, '
    mux set-buffer $'accept 1\nsend\n'
    mux paste-buffer -t t
    until_true 20 'pasted lines are ignored' screen_has '^Pasted lines are ignored'
    mux send-keys -t t C-c
    until_true 20 'Ctrl-C does not end it' screen_has 'Type quit to leave\.'
    mux send-keys -t t 'accept 1' Enter
    until_true 20 'a line that is typed counts' screen_has '^fay: ACCEPT will be sent'
    mux send-keys -t t u Enter
    until_true 20 'it is taken back' screen_has '^fay: ACCEPT taken back'
    mux send-keys -t t q Enter
    until_true 20 'q leaves' screen_has '^left with 0'
    mux kill-server
    is_here "$id" || fail 'nothing was sent'
    ok 'on a terminal: pasted lines do nothing, Ctrl-C does not leave'
}

trap 'mux kill-server 2>/dev/null || true; clean_up' EXIT
mkdir -p "$work/home"
start_worker w all
make_slots w $provider plain 10
http PUT "${url[w]}/users/ann" "${json[@]}" -d '{"name":"ann"}'
dialogue
overlap
outage
leaving
killed
script
terminal
finish
