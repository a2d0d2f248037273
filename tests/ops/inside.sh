#!/usr/bin/env bash
# What boot.sh runs inside the container, as the machine's administrator would: installs, configures, starts, breaks,
# upgrades, removes. Prints FIGURE lines; the last line says that it came to its end.
mkdir -p /ops/build/workers && ln -sf /usr/bin/bookflow /ops/build/workers/bookflow
# shellcheck source=tests/e2e/lib.sh
source /ops/tests/e2e/lib.sh /ops/build
# shellcheck source=tests/sqs/peer.sh
source /ops/tests/sqs/peer.sh
# shellcheck source=tests/prove/figure.sh
source /ops/tests/prove/figure.sh

provider=salon
url=([intake]=http://127.0.0.1:3000 [decision]=http://127.0.0.1:3001)
watchdog_s=3

# --- What systemd says.

property()
{
    systemctl show --value --property "$2" "bookflow-$1.service"
}

is_active()
{
    [[ $(property "$1" ActiveState) == active ]]
}

answers()
{
    curl -q -s --max-time 5 -o /dev/null "${url[$1]}/health"
}

# --- Configuration.

# configure UNIT QUEUES [LINE...]: the settings of a worker, its keys as credentials.
configure()
{
    local unit=$1 queues=$2
    shift 2
    printf '%s\n' AWS_REGION=us-east-1 "AWS_ENDPOINT_URL_SQS=$peer_url" \
        "SQS_BOOKING_REQUEST_QUEUE_URL=$(queue_url "$queues-request")" \
        "SQS_BOOKING_CONFIRMATION_QUEUE_URL=$(queue_url "$queues-confirmation")" "$@" >"/etc/bookflow/$unit.env"
    mkdir -p /etc/credstore
    (umask 077 && printf %s "$AWS_ACCESS_KEY_ID" >"/etc/credstore/bookflow-$unit.AWS_ACCESS_KEY_ID" &&
        printf %s "$AWS_SECRET_ACCESS_KEY" >"/etc/credstore/bookflow-$unit.AWS_SECRET_ACCESS_KEY")
}

make_queues()
{
    peer /queue "{\"name\":\"$1-request\"}" >/dev/null
    peer /queue "{\"name\":\"$1-confirmation\"}" >/dev/null
}

# drop_in UNIT LINE...: for its next start.
drop_in()
{
    local folder=/run/systemd/system/bookflow-$1.service.d
    mkdir -p "$folder"
    printf '%s\n' '[Service]' "${@:2}" >"$folder/test.conf"
    systemctl daemon-reload
}

# --- The rows.

units_are_sound()
{
    local score said
    dpkg --no-triggers -i /ops/bookflow-0.0.1.deb >"$work/dpkg.txt" 2>&1 || fail "dpkg -i: $(<"$work/dpkg.txt")"
    said=$(systemd-analyze verify /usr/lib/systemd/system/bookflow-* 2>&1) || fail "systemd-analyze verify: $said"
    same 'systemd-analyze verify has nothing to say' '' "$said"
    for unit in intake decision decision@a; do
        systemd-analyze security --threshold=11 "bookflow-$unit.service" >"$work/score.txt" || fail "$unit: $(tail -n 1 "$work/score.txt")"
    done
    score=$(sed -n 's/.*level for [^:]*: \([0-9.]*\).*/\1/p' "$work/score.txt")
    drop_in intake "$(sed '/^\[/d' /usr/share/doc/bookflow/examples/vpc-endpoint.conf)"
    systemd-analyze security --threshold=9 bookflow-intake.service >"$work/score.txt" || fail "with the drop-in: $(tail -n 1 "$work/score.txt")"
    rm -r /run/systemd/system/bookflow-intake.service.d
    systemctl daemon-reload
    figure S1 ok "the installed units score $score, $(sed -n 's/.*level for [^:]*: \([0-9.]*\).*/\1/p' "$work/score.txt") with the VPC drop-in; verify has nothing to say"
}

# Without its settings a unit is not started, and says why.
nothing_starts_unconfigured()
{
    systemctl start bookflow-intake.service bookflow-decision.service
    same 'intake waits for its settings' inactive "$(property intake ActiveState)"
    same 'and says so' no "$(property intake ConditionResult)"
}

starts_with_sqs_down()
{
    local began
    configure intake main
    configure decision main
    peer /server '{"state":"down"}' >/dev/null
    began=$(now_ms)
    systemctl enable --quiet --now bookflow-{intake,decision}.{socket,service} ||
        fail "both units start: $(journalctl --no-pager --quiet --lines=30)"
    began=$(($(now_ms) - began))
    for name in intake decision; do
        is_active $name || fail "$name is active: $(systemctl status "bookflow-$name" 2>&1 | tail -n 20)"
        get "${url[$name]}/health"
        expect_status 200 "/health of $name while SQS is down"
        until_true 10 "$name sees that SQS is down" reaches $name /ready ".queue.$name == \"down\""
        expect_status 200 "/ready of $name while SQS is down"
    done
    make_slots intake $provider s 2000
    book intake s-1 user-1
    peer /server '{"state":"up"}' >/dev/null
    until_true 20 'the booking arrives when SQS is back' shows decision "/providers/$provider/bookings/$id" pending
    until_true 20 'and /ready says so' reaches decision /ready '.queue.decision == "ok"'
    figure O2 ok "SQS down: both units active after $began ms, healthy, ready, and it recovers by itself"
}

# READY comes after the store is open: nobody could have been answered before.
whole_flow()
{
    post "${url[decision]}/providers/$provider/bookings/$id/accept"
    expect_status 200 'accept'
    until_true 20 'intake shows it' shows intake "/bookings/$id" confirmed
    accepted=$id
    book intake s-2 user-2
    until_true 20 'the inbox shows it' shows decision "/providers/$provider/bookings/$id" pending
    post "${url[decision]}/providers/$provider/bookings/$id/reject" '{"reason":"holiday"}'
    expect_status 200 'reject'
    until_true 20 'intake shows it' shows intake "/bookings/$id" rejected
    book intake s-3 user-3
    post "${url[intake]}/bookings/$id/cancel"
    expect_status 200 'cancel'
    until_true 20 'the inbox shows the cancel' shows decision "/providers/$provider/bookings/$id" cancelled
    bookflow history "$accepted" | grep -q BOOKING_CONFIRMED || fail 'bookflow history shows the confirmation'
    same 'each worker has a user of its own' 2 "$(stat -c %U /var/lib/private/bookflow-{intake,decision} | sort -u | grep -c -v root || true)"
}

# lives: what both journals say of the accepted booking, "UNIT CODE" a line.
lives()
{
    journalctl --output=json "BOOKING_ID=$accepted" 2>/dev/null | jq -r '"\(._SYSTEMD_UNIT) \(.CODE)"' >"$work/lives.txt"
    grep -q 'decision.*event.sent' "$work/lives.txt" && grep -q 'intake.*booking.confirmed' "$work/lives.txt"
}

journals_tell_a_life()
{
    local line traces
    until_true 10 'the journal has it' lives
    for line in 'intake.service booking.pending' 'intake.service event.sent' 'decision.service message.applied' \
        'decision.service booking.pending' 'decision.service booking.confirmed' 'decision.service event.sent' \
        'intake.service message.applied' 'intake.service booking.confirmed'; do
        grep -qx "bookflow-$line" "$work/lives.txt" || fail "the journal has: $line, not only $(<"$work/lives.txt")"
    done
    traces=$(journalctl --output=json "BOOKING_ID=$accepted" | jq -r '.TRACE_ID // empty' | sort -u)
    [[ $traces =~ ^[0-9a-f]{32}$ ]] || fail "one trace, not: $traces"
    journalctl --output=json "TRACE_ID=$traces" | jq -es 'all(.SQS_MESSAGE_ID != "" and .PROVIDER_ID == "salon")
        and (map(.SQS_MESSAGE_ID) | unique | length) == 2' >/dev/null || fail 'each message has its id in both journals'
    figure O6 ok "one booking id finds $(wc -l <"$work/lives.txt") lines in both journals, in one trace; fields native"
}

# hangs PLACE [URL BODY]: how long, in ms, until the worker that hangs there is another one that answers.
hangs()
{
    local began before
    before=$(property intake MainPID)
    : >"/run/hang-$1"
    [[ $1 != store ]] || curl -q -s --max-time 20 -o /dev/null "${json[@]}" -d '{"slotId":"s-9","userId":"u"}' "${url[intake]}/bookings" &
    began=$(now_ms)
    until_true 15 "the watchdog kills what hangs in its $1" watchdog_bit "$before"
    took=$(($(now_ms) - began))
    rm "/run/hang-$1"
    until_true 15 'it is started again' answers intake
    wait $! 2>/dev/null || true
}

watchdog_bit()
{
    [[ $(property intake MainPID) != "$1" ]]
}

watchdog_bites()
{
    local place worst=0 took
    for place in store loop; do
        drop_in intake "WatchdogSec=$watchdog_s" 'LimitCORE=0' "Environment=LD_PRELOAD=/ops/hang.so HANG_AT=/run/hang-$place"
        systemctl restart bookflow-intake.service
        hangs $place
        ((took <= worst)) || worst=$took
    done
    rm -r /run/systemd/system/bookflow-intake.service.d
    systemctl daemon-reload
    systemctl restart bookflow-intake.service
    journalctl --unit bookflow-intake --grep 'Watchdog timeout' --quiet >"$work/bites.txt" || fail 'the journal names the watchdog'
    same 'it bit twice' 2 "$(wc -l <"$work/bites.txt")"
    ((worst <= watchdog_s * 1000 + 2000)) || fail "killed $worst ms after the hang"
    figure O3 ok "a hang in the store and in the loop is killed within $worst ms (WatchdogSec ${watchdog_s} s + 2 s)"
}

restarts_refuse_nobody()
{
    local turn load
    python3 -B /ops/tests/ops/steady.py "${url[intake]}" 1000 s >"$work/steady.json" 2>"$work/steady.err" &
    load=$!
    for turn in restart kill restart kill restart kill; do
        until_true 20 'requests go on' sleep_until_more
        if [[ $turn == kill ]]; then
            systemctl kill --signal=KILL bookflow-intake.service
        else
            systemctl restart bookflow-intake.service
        fi
        until_true 20 "intake is back after a $turn" answers intake
    done
    wait $load || fail "steady.py: $(<"$work/steady.err")"
    jq -e '.refused == 0 and .lost == 0 and .answered >= 1000' "$work/steady.json" >/dev/null || fail "$(<"$work/steady.json")"
    figure O4 ok "$(jq -r '"\(.answered) requests over 3 restarts and 3 kill -9: \(.refused) refused, \(.lost) lost, \(.retried) tried again after a reset, p99 \(.p99) ms, longest \(.longest) ms"' "$work/steady.json")"
}

# Between the blows some requests go through: each blow falls on a worker at work.
sleep_until_more()
{
    local now
    now=$(curl -q -s --max-time 5 "${url[intake]}/metrics" | sed -n 's/^bookflow_store_operations_total{worker="intake"} //p')
    ((${now:-0} >= 60))
}

stops_in_time()
{
    local began load
    python3 -B /ops/tests/ops/steady.py "${url[intake]}" 400 t >"$work/steady.json" 2>"$work/steady.err" &
    load=$!
    until_true 20 'requests go on' sleep_until_more
    began=$(now_ms)
    systemctl stop bookflow-decision.service bookflow-decision.socket
    systemctl stop bookflow-intake.service
    began=$(($(now_ms) - began))
    ! journalctl --quiet CODE=drain.incomplete --lines=1 | grep -q . || fail 'every drain is complete'
    same 'decision ended well' success "$(property decision Result)"
    systemctl start bookflow-{intake,decision}.{socket,service}
    wait $load || fail "steady.py: $(<"$work/steady.err")"
    ((began <= 10000)) || fail "both stop within 5 s each, not $began ms"
    until_true 20 'what was given back is taken again' drained
    figure O5 ok "stopped under load: both workers within $began ms, drained, and what they gave back is taken again"
}

drained()
{
    (($(peer '/depth?queue=main-request' | jq .depth) + $(peer '/depth?queue=main-confirmation' | jq .depth) == 0)) &&
        reaches intake /metrics . ; curl -q -s "${url[intake]}/metrics" | grep -q '^bookflow_outbox_unsent{worker="intake"} 0$'
}

several_decisions()
{
    local name port=3002
    for name in a b; do
        make_queues $name
        configure decision-$name $name "BOOKFLOW_LISTEN=127.0.0.1:$port"
        url[$name]=http://127.0.0.1:$port
        port=$((port + 1))
    done
    systemctl start bookflow-decision@{a,b}.service
    for name in a b; do
        get "${url[$name]}/ready"
        expect_status 200 "decision@$name is ready"
        [[ -f /var/lib/bookflow-decision-$name/decision.db ]] || fail "decision@$name has a store of its own"
    done
    peer /put "$(jq -cn '{queue: "a-request", messages: [{body: ({bookingId: "of-a", userId: "u", providerId: "salon", slotId: "s",
        slotStart: "2035-01-01T10:00:00Z", slotEnd: "2035-01-01T11:00:00Z", eventType: "BOOKING_CREATED",
        timestamp: "2030-01-01T10:00:00Z"} | tojson)}]}')" >/dev/null
    until_true 20 'a has its booking' shows a /providers/salon/bookings/of-a pending
    get "${url[b]}/providers/salon/bookings/of-a"
    expect_status 404 'b has none of it'
    figure O15 ok 'bookflow-decision@a and @b beside the first: a store, a port and queues each'
}

# restore WORKER: as README.md says.
restore()
{
    local folder=/var/lib/private/bookflow-$1
    systemctl stop "bookflow-$1.socket" "bookflow-$1.service"
    rm "$folder/$1.db"*
    cp "/ops/copies/$1.db" "$folder/"
    chown --reference="$folder" "$folder/$1.db"
    systemctl start "bookflow-$1.socket" "bookflow-$1.service"
}

# The worker may write nowhere but beside its store; the verb takes the copy from there.
backup_leaves_the_sandbox()
{
    local name
    for name in intake decision; do
        BOOKFLOW_URL=${url[$name]} bookflow backup /ops/copies >"$work/backup.txt" 2>&1 || fail "backup: $(<"$work/backup.txt")"
    done
    book intake s-7 user-7
    restore intake
    restore decision
    shows intake "/bookings/$accepted" confirmed || fail 'what was in the copy is there'
    get "${url[intake]}/bookings/$id"
    expect_status 404 'what came after it is not'
    book intake s-7 user-7
}

# As its user, or it could not read what root has written.
tokens_are_made_as_the_worker()
{
    local token
    token=$(systemd-run --pipe --wait --quiet -p DynamicUser=yes -p User=bookflow-decision -p StateDirectory=bookflow-decision \
        bookflow token create desk --role admin 2>"$work/token.txt") || fail "token create: $(<"$work/token.txt")"
    until_true 10 'without a token nobody is let in' refuses_strangers
    http GET "${url[decision]}/providers/$provider/bookings" -H "Authorization: Bearer ${token##* }"
    expect_status 200 'with it'
    rm /var/lib/private/bookflow-decision/tokens
    systemctl restart bookflow-decision.service
}

refuses_strangers()
{
    get "${url[decision]}/providers/$provider/bookings"
    [[ $status == 401 ]]
}

# With the drop-in, too: it is started, books, and is heard by journal and watchdog.
locked_down_it_works()
{
    drop_in intake "$(sed '/^\[/d' /usr/share/doc/bookflow/examples/vpc-endpoint.conf)"
    systemctl restart bookflow-intake.service || fail "$(journalctl --unit bookflow-intake --no-pager --lines=20)"
    book intake s-8 user-8
    until_true 20 'its event is sent' shows decision "/providers/$provider/bookings/$id" pending
    until_true 10 'its journal has fields' has_fields
    same 'it sees no settings' '' "$(ls "/proc/$(property intake MainPID)/root/etc/bookflow" 2>/dev/null)"
    rm -r /run/systemd/system/bookflow-intake.service.d
    systemctl daemon-reload
    systemctl restart bookflow-intake.service
}

has_fields()
{
    [[ $(journalctl --output=cat "BOOKING_ID=$id" _SYSTEMD_UNIT=bookflow-intake.service | wc -l) == 2 ]]
}

# Not a line of seccomp's, which kills with SIGSYS.
nothing_was_denied()
{
    local -a denied
    mapfile -t denied < <(journalctl --quiet --no-pager --grep 'status=31|SIGSYS|SECCOMP|code=dumped' || true)
    ((${#denied[@]} == 0)) || fail "nothing is denied: ${denied[*]}"
    figure S2 ok 'the whole flow ran in the sandbox: 0 system calls denied'
}

upgrade_keeps_data()
{
    dpkg --no-triggers -i /ops/bookflow-0.0.2.deb >"$work/dpkg.txt" 2>&1 || fail "upgrade: $(<"$work/dpkg.txt")"
    same 'the new version is there' 0.0.2 "$(dpkg-query -W -f '${Version}' bookflow)"
    until_true 10 'it runs' answers intake
    shows intake "/bookings/$accepted" confirmed || fail 'the booking is still there'
    shows decision "/providers/$provider/bookings/$accepted" confirmed || fail 'on both sides'
}

# left FOLDER...: what of ours is still there.
left()
{
    find "$@" -iname '*bookflow*' 2>/dev/null | sort
}

removed_without_a_trace()
{
    local there=0
    dpkg --no-triggers --remove bookflow >"$work/dpkg.txt" 2>&1 || fail "remove: $(<"$work/dpkg.txt")"
    ! pgrep -x bookflow >"$work/left.txt" || fail 'no worker is left running'
    [[ -f /var/lib/private/bookflow-intake/intake.db && -f /etc/bookflow/intake.env ]] || fail 'remove keeps stores and settings'
    there=$(left /usr/lib/systemd /etc/systemd /usr/bin /usr/share)
    same 'remove leaves no program and no unit' '' "$there"
    dpkg --no-triggers --purge bookflow >"$work/dpkg.txt" 2>&1 || fail "purge: $(<"$work/dpkg.txt")"
    same 'purge leaves nothing' '' "$(left /usr /etc /var/lib /run/systemd/system)"
    same 'no unit is known' '' "$(systemctl list-units --all --plain --no-legend 'bookflow-*' | grep -v not-found || true)"
    figure O1 ok "installed, both units booked and decided, upgraded with its data, removed, purged: nothing is left"
}

start_peer ''
helpers+=("$peer_pid")
make_queues main
for stage in units_are_sound nothing_starts_unconfigured starts_with_sqs_down whole_flow journals_tell_a_life several_decisions \
    restarts_refuse_nobody stops_in_time watchdog_bites backup_leaves_the_sandbox tokens_are_made_as_the_worker locked_down_it_works nothing_was_denied \
    upgrade_keeps_data removed_without_a_trace; do
    stage_begun=$(now_ms)
    $stage
    ok "${stage//_/ }, $(($(now_ms) - stage_begun)) ms"
done
finish
echo 'inside: done'
