#!/usr/bin/env bash
# `./run` itself: one round by script, and the console on a live pipeline in a terminal. Takes the
# repository's folder, which stands in for the build folder of the other tests.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

root=$build
mkdir "$work/tmp"

mux()
{
    tmux -L "bookflow-demo-$$" -f /dev/null "$@"
}
trap 'mux kill-server 2>/dev/null || true; clean_up' EXIT

screen_shows()
{
    mux capture-pane -p -t demo >"$work/screen" 2>/dev/null && grep -qE -- "$1" "$work/screen"
}

# The demo has a folder of its own in TMPDIR, and its processes have it in their environment.
nothing_is_left()
{
    [[ -z $(ls -A "$work/tmp") ]] && ! grep -qsF "$work/tmp" /proc/[0-9]*/environ
}

by_script()
{
    local code=0
    (cd / && TMPDIR=$work/tmp "$root/run" </dev/null) >"$work/script.log" 2>&1 || code=$?
    same 'exit code of ./run without a terminal' 0 "$code"
    for line in 'slots .*80 slots' 'booked .*pending' 'inbox .*Zoë Müller' 'accept .*Booking accepted successfully' \
        'confirmed .*on the intake side' 'reject .*Booking rejected successfully' 'rejected .*on the intake side' \
        'cancel .*Booking cancelled successfully' 'cancelled .*on the provider side'; do
        grep -Eq "$line" "$work/script.log" || fail "it prints: $line"
    done
    until_true 20 'it leaves nothing behind' nothing_is_left
    ok './run without a terminal does one round, from any folder, and leaves nothing'
}

words()
{
    local code=0
    "$root/run" brew >"$work/words.out" 2>&1 || code=$?
    same './run brew' 2 "$code"
    grep -q '^usage: ./run' "$work/words.out" || fail 'an unknown word shows the usage'
    "$root/run" help | grep -q '^usage: ./run' || fail './run help helps'
    ok './run help, and 2 for an unknown word'
}

worker_is_up()
{
    url[demo]=http://$(sed -n 's/.* serve\.ready .*address=\([^ ]*\).*/\1/p' "$work"/tmp/*/log 2>/dev/null)
    [[ ${url[demo]} == *:[0-9]* ]]
}

in_a_terminal()
{
    TMPDIR=$work/tmp mux new-session -d -s demo -x 100 -y 30 "$root/run 2>'$work/console.log'"
    until_true 120 'the demo starts' worker_is_up
    until_true 20 'the console is live' screen_shows '\[LIVE\]'
    until_true 20 'it shows bookings' screen_shows 'wait +[0-9]+'
    ok './run in a terminal opens the console on a live pipeline'
    until_true 20 'more bookings arrive' reaches demo '/bookings?limit=100' '.bookings | length > 6'
    ok 'demo bookings arrive'
    mux send-keys -t demo a
    until_true 20 'the answer is staged' screen_shows 'ACCEPT'
    mux send-keys -t demo s
    until_true 20 'the booking is confirmed on the intake side' reaches demo '/bookings?status=confirmed' '.bookings | length == 1'
    ok 'the key a confirms one on the intake side'
    mux send-keys -t demo q
    until_true 15 'leaving the console ends everything' nothing_is_left
    ok 'leaving the console stops everything and leaves nothing'
}

words
by_script
in_a_terminal
finish
