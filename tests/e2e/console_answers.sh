#!/usr/bin/env bash
# The life of answers in a real terminal: none is lost and none is sent by a crash, whatever happens
# to the console, its disk or the worker.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

provider=salon-1
slots=0

# --- The terminal.

mux()
{
    tmux -S "$work/tmux" -f /dev/null "$@"
}

# Kept apart from the helpers: the server of the terminals is not our child.
end_terminals()
{
    mux kill-server 2>/dev/null || true
    clean_up
}
trap end_terminals EXIT

keys()
{
    mux send-keys -t "$@"
}

# Leaves the screen where a failure prints it.
shows()
{
    mux capture-pane -p -t "$1" >"$work/$1.log"
    grep -qE -- "$2" "$work/$1.log"
}

hides()
{
    ! shows "$1" "$2"
}

# sees TERMINAL PATTERN
sees()
{
    until_true 20 "terminal $1 shows: $2" shows "$1" "$2"
}

# console TERMINAL [COMMAND BEFORE IT]: opens the console there.
console()
{
    local name=$1 before=${2-:}
    mux new-session -d -s "$name" -x 80 -y 24 "exec env -i PATH='$PATH' HOME='$work/home' \
        TERM=screen LC_ALL=C.UTF-8 TZ=UTC ESCDELAY=25 ASAN_OPTIONS='${ASAN_OPTIONS-}' \
        UBSAN_OPTIONS='${UBSAN_OPTIONS-}' TSAN_OPTIONS='${TSAN_OPTIONS-}' BOOKFLOW_URL='${url[w]}' BOOKFLOW_PROVIDER=$provider \
        bash --norc -c '$before; \"$build/tui/bookflow-console\" 2>\"$work/$name.stderr\"; echo left with \$?; exec cat'"
    sees "$name" '\[LIVE\]'
}

pid_of()
{
    pgrep -P "$(mux display-message -p -t "$1" '#{pane_pid}')" -f bookflow-console
}

# end TERMINAL SIGNAL
end()
{
    kill "-$2" "$(pid_of "$1")"
    sees "$1" "left with $([[ $2 == KILL ]] && echo 137 || echo 0)"
    mux kill-session -t "$1"
    ! grep -E 'Sanitizer|runtime error:' "$work/$1.stderr" || fail "no sanitizer report from $1"
}

# --- Bookings.

status_is()
{
    get "${url[w]}/bookings/$1"
    [[ $(field .status) == "$2" ]]
}

# asked TERMINAL USER: a booking that is under the cursor there; its id is in $id.
asked()
{
    book w "slot-$((++slots))" "$2"
    sees "$1" "$2"
    keys "$1" G
    sees "$1" "^>.*$2"
}

# accepted TERMINAL USER: the same, and staged.
accepted()
{
    asked "$1" "$2"
    keys "$1" a
    sees "$1" "ACCEPT [0-9]+s .*$2"
}

# --- The tests.

crash()
{
    local first second
    console one
    accepted one ann
    first=$id
    accepted one bob
    second=$id
    end one KILL
    post "${url[w]}/bookings/$second/cancel" '{}'
    console two
    sees two '2 answers were not sent when the console closed'
    sees two 'ACCEPT kept .*ann'
    status_is "$first" pending || fail 'what was staged when the console was killed was not sent'
    keys two Enter
    sees two 'ACCEPT ann, .*: still waits for an answer'
    sees two 'ACCEPT bob, .*: The client cancelled at'
    keys two s
    until_true 20 'the answer goes out once the person says so' status_is "$first" confirmed
    sees two 'ann.*delivered|delivered .*ann'
    status_is "$second" cancelled || fail 'what the customer cancelled stays cancelled'
    ok 'kill -9 with answers staged: none was sent, the next start shows them and what they are now'
}

hang_up()
{
    accepted two cleo
    end two HUP
    status_is "$id" pending || fail 'a hang-up sends nothing'
    grep -q '1 not sent' "$work/two.stderr" || fail 'says what was left unsent'
    console three
    sees three '1 answer was not sent'
    keys three Enter
    sees three 'ACCEPT cleo'
    keys three u
    sees three 'taken back'
    end three TERM
    console four
    sees four 'wait .*cleo'
    hides four 'was not sent' || fail 'what was taken back is over'
    ok 'a hang-up sends nothing, and what is taken back is over'
}

# The worker takes the answer and never speaks: it is stopped in the middle.
silence()
{
    accepted four dora
    kill -STOP "${pid[w]}"
    keys four s
    sees four 'sending .*dora'
    end four KILL
    kill -CONT "${pid[w]}"
    console five
    sees five 'dora: ACCEPT|delivered .*dora|recorded .*dora'
    until_true 20 'what was sent is looked after' status_is "$id" confirmed
    get "${url[w]}/bookings/$id/history"
    expect_json '[.history[] | select(.to == "confirmed" and .from == "pending")] | length == 1' \
        'one decision'
    ok 'an answer that was sent without an outcome is looked after with the same key'
}

# The same, and the console lives: the worker's answer comes too late for the first call.
no_answer()
{
    accepted five eve
    kill -STOP "${pid[w]}"
    keys five s
    sees five '\[SLOW [0-9.]+ s\]'
    sees five 'Sent, but no answer came\. Checking what happened'
    kill -CONT "${pid[w]}"
    until_true 30 'it is found out' shows five 'delivered .*eve'
    ok 'without an answer the console says so and finds out what happened'
}

# The worker's disk is full for a while.
busy()
{
    accepted five pam
    prlimit --pid "${pid[w]}" --fsize=4096:
    keys five s
    sees five 'Server busy\. Trying again in [0-9]+ s \([2-6] of 6\)\. Not sent yet\.'
    status_is "$id" pending || fail 'nothing was done'
    prlimit --pid "${pid[w]}" --fsize=unlimited:
    until_true 20 'it is tried again' status_is "$id" confirmed
    sees five 'delivered .*pam'
    ok 'a worker that can store nothing is tried again'
}

elsewhere()
{
    accepted five emil
    post "${url[w]}/providers/$provider/bookings/$id/reject" '{}'
    sees five 'NOT DONE .*emil'
    sees five 'Already REJECTED elsewhere at'
    until_true 20 'the other decision stands' status_is "$id" rejected
    keys five k
    accepted five fred
    post "${url[w]}/bookings/$id/cancel" '{}'
    sees five 'The client cancelled at [0-9:]*\. Nothing was booked'
    ok 'somebody else decided, or the customer cancelled, while an answer was staged'
}

outage()
{
    accepted five gina
    kill_worker w
    sees five 'OFFLINE since'
    sees five 'ACCEPT kept .*gina'
    restart_worker
    sees five 'Back after .*1 kept answer'
    status_is "$id" pending || fail 'nothing goes out by itself after an outage'
    keys five s
    until_true 20 'the kept answer goes out' status_is "$id" confirmed
    ok 'an outage keeps answers until the person says so'
}

# On the same port: the console knows no other.
restart_worker()
{
    start_worker w all BOOKFLOW_LISTEN="${url[w]#http://}"
}

two_consoles()
{
    console other
    sees other 'console on this computer keeps it'
    asked other hugo
    keys other a
    sees other 'ACCEPT will be sent in [0-9]+ s, not kept'
    keys other s
    until_true 20 'the second console works' status_is "$id" confirmed
    end other TERM
    ok 'a second console says that it keeps nothing, and works'
}

full_disk()
{
    local file
    end five TERM
    file=$(echo "$work"/home/.local/state/bookflow/*.journal)
    console six "ulimit -f $(($(stat -c %s "$file") / 1024 + 1))"
    accepted six ida
    until shows six 'ACCEPT will be sent in [0-9]+ s, not kept'; do
        keys six u
        sees six 'wait .*ida'
        keys six a
        sees six 'ACCEPT [0-9]+s .*ida'
    done
    sees six 'Answers are not kept'
    keys six s
    until_true 20 'it goes out all the same' status_is "$id" confirmed
    end six TERM
    ok 'a full disk is said, and answers go without the journal'
}

no_folder()
{
    : >"$work/file"
    console seven "export XDG_STATE_HOME='$work/file'"
    sees seven 'Journal: Not a'
    end seven TERM
    ok 'a folder that cannot be used is named at once'
}

history()
{
    local out
    out=$(env -i PATH="$PATH" HOME="$work/home" TZ=UTC LC_ALL=C.UTF-8 BOOKFLOW_URL="${url[w]}" \
        BOOKFLOW_PROVIDER=$provider ASAN_OPTIONS="${ASAN_OPTIONS-}" \
        "$build/tui/bookflow-console" --history --json)
    jq -e 'map(select(.client == "ann"))[0].steps | map(.step) ==
        ["staged", "sent", "recorded", "delivered"]' <<<"$out" >/dev/null ||
        fail "the history of ann's answer: $out"
    jq -e 'map(select(.client == "dora"))[0].steps | map(select(.step == "sent")) | length == 2' \
        <<<"$out" >/dev/null || fail "the history of dora's answer: $out"
    ok 'the history holds every step'
}

mkdir -p "$work/home/.config/bookflow"
echo 'undo_seconds = 60' >"$work/home/.config/bookflow/console.conf"
mux new-session -d -s keeper cat # so that the server of the terminals stays between two tests
start_worker w all
make_slots w "$provider" slot 30
crash
hang_up
silence
no_answer
busy
elsewhere
outage
two_consoles
full_disk
no_folder
history
finish
