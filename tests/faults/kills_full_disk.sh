#!/usr/bin/env bash
# A disk that is really full: kills_full_disk.sh BUILD_FOLDER. Needs a mount of its own, as root or in a
# user namespace; says SKIPPED where neither is allowed.
# shellcheck disable=SC2317 # functions that are called by name
set -euo pipefail

if [[ ${FULL_DISK_MOUNTS-} != own ]]; then
    for options in -m -rm; do
        ! unshare "$options" mount -t tmpfs -o size=1m none /mnt 2>/dev/null ||
            FULL_DISK_MOUNTS=own exec unshare "$options" "$0" "$@"
    done
    echo 'FIGURE R5 SKIPPED full disk: neither root nor a user namespace may mount a tmpfs here'
    exit 0
fi
# shellcheck source=tests/faults/kills_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/kills_lib.sh" "${1-}"

disk=$work/disk
tries=0 status='' body=''

start_worker()
{
    env -i PATH="$PATH" HOME="$work" TZ=UTC BOOKFLOW_LISTEN="unix:$work/sock" BOOKFLOW_STATE_DIR="$disk" \
        "$bookflow" serve all </dev/null >>"$work/log" 2>&1 &
    worker=$!
    started=("$worker")
}

stop_worker()
{
    local code=0
    kill "$worker"
    wait "$worker" || code=$?
    started=()
    ((code == 0)) || complain "SIGTERM ends it with 0, not $code"
}

complain()
{
    figure R5 MISSED "full disk: $1 (last answer: $status ${body:0:200})"
    tail -n 20 "$work/log"
    exit 1
}

# ask METHOD PATH [BODY]
ask()
{
    status=$(curl -q -sS --max-time 10 --unix-socket "$work/sock" -o "$work/body" -w '%{http_code}' -X "$1" \
        ${3:+-H 'Content-Type: application/json' -d "$3"} "http://harness$2" 2>/dev/null) || status=000
    body=$(cat "$work/body" 2>/dev/null || true)
}

# within SECONDS WHAT COMMAND...
within()
{
    local deadline=$(($(now_ms) + $1 * 1000)) what=$2
    shift 2
    until "$@"; do
        (($(now_ms) < deadline)) || complain "in time: $what"
        sleep 0.02
    done
}

answers()
{
    ask GET /ready
    [[ $status == "$1" ]]
}

# book: the next slot; what was answered 201 is written down.
book()
{
    tries=$((tries + 1))
    ask POST /bookings "{\"slotId\":\"s$tries\",\"userId\":\"u$tries\"}"
    case $status in
    201) echo "booked $(jq -r .id <<<"$body") s$tries u$tries" >>"$work/promises.log" ;;
    503) ;;
    *) complain 'a booking is answered 201 or 503' ;;
    esac
}

is_booked()
{
    book
    [[ $status == 201 ]]
}

# rows STORE TABLE
rows()
{
    sqlite3 -readonly -cmd '.timeout 5000' "$disk/$1.db" "SELECT count(*) FROM $2"
}

at_rest()
{
    [[ "$(rows intake outbox) $(rows decision outbox) $(rows queues message)" == '0 0 0' ]]
}

mkdir "$disk"
mount -t tmpfs -o size=4m none "$disk"
start_worker
within 10 'the worker is ready' answers 200
ask POST /providers/p/slots "$(jq -cn '{slots: [range(400) | {id: "s\(. + 1)", start: "2099-01-01T10:00:00Z", end: "2099-01-01T11:00:00Z"}]}')"
[[ $status == 201 ]] || complain 'slots are made'
for _ in {1..10}; do
    is_booked || complain 'a booking before the disk is full'
done

dd if=/dev/zero of="$disk/filler" bs=4k status=none 2>/dev/null || true # until it is full
refused=0
for _ in {1..60}; do
    is_booked || refused=$((refused + 1))
done
((refused >= 10)) || complain "a full disk refuses: $refused of 60"
kill -0 "$worker" 2>/dev/null || complain 'it lives on a full disk'
ask GET '/bookings?limit=1'
[[ $status == 200 ]] || complain 'reading works on a full disk'

# And killed while it is full: it starts again, or says why it cannot.
kill -KILL "$worker"
wait "$worker" 2>/dev/null || true
start_worker
start=started
until answers 200 || answers 503; do
    kill -0 "$worker" 2>/dev/null || { start=refused && break; }
    sleep 0.02
done
[[ $start == started ]] || grep -q ' serve.failed ' "$work/log" || complain 'it says why it does not start'

freed=$(now_ms)
rm "$disk/filler"
[[ $start == started ]] || { wait "$worker" || true && start_worker; }
within 15 'bookings are taken again' is_booked
again=$(($(now_ms) - freed))
# What the killed one had in its hands: its lease is not waited for.
sqlite3 -cmd '.timeout 5000' "$disk/queues.db" 'UPDATE message SET visible_ms = sent_ms WHERE visible_ms > sent_ms'
touch "$disk/queues.db"
within 60 'the pipeline comes to rest' at_rest
rest=$(($(now_ms) - freed))
stop_worker
found=$("$programs/fault_check" --settled "$work/promises.log" "$disk"/{intake,decision}.db) || complain "$found"
figure R5 ok "full disk (tmpfs of 4 MB): $refused answers 503, $(wc -l <"$work/promises.log") bookings acknowledged, none lost; killed while it was full, the worker $start; 201 again $again ms after there was space, all delivered after $rest ms"
umount "$disk"
finish
