#!/usr/bin/env bash
# `bookflow audit` as an operator uses it: copies of a stopped and of a running pipeline, and files that
# are not what they should be.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"

copies=$work/copies
mkdir "$copies"

# audit CODE ARGUMENT...: its output is in $body, its one line on stderr in $said.
audit()
{
    local code=0 expected=$1
    shift
    body=$(bookflow_with -- audit "$@" 2>"$work/said") || code=$?
    said=$(<"$work/said")
    ! grep -E 'Sanitizer|runtime error' "$work/said" >&2 || fail 'no sanitizer report'
    same "the exit code of audit $*" "$expected" "$code"
}

# copy NAME: both stores, at this moment.
copy()
{
    local store
    for store in intake decision; do
        sqlite3 "$(state_of all)/$store.db" ".backup '$copies/$1-$store.db'"
    done
}

# verdict NAME yes|no
verdict()
{
    audit "$([[ $2 == yes ]] && echo 0 || echo 1)" "$copies/$1-intake.db" "$copies/$1-decision.db"
    same "the last line about $1" "converged: $2" "$(tail -n 1 <<<"$body")"
}

decided()
{
    post "${url[all]}/providers/salon/bookings/$id/$1"
    expect_status 200 "$1"
    until_true 20 "intake shows $2" shows all "/bookings/$id" "$2"
}

nothing_unsent()
{
    reaches all /pipeline '.unsent == 0'
}

nothing_is_left_beside_the_copies()
{
    same 'files beside the copies' '' "$(find "$copies" -name '*.db?*')"
}

start_worker all all
make_slots all salon slot 4
for number in 1 2 3; do
    book all "slot-$number" "user-$number"
    until_true 20 'the inbox shows it' shows all "/providers/salon/bookings/$id" pending
    case $number in
    1) decided accept confirmed ;;
    2) decided reject rejected ;;
    esac
done
until_true 20 'the outboxes are empty' nothing_unsent
copy running
verdict running yes
nothing_is_left_beside_the_copies
ok 'copies of a running pipeline that has come to rest have converged'

stop_worker all
mkdir "$copies/stopped"
cp "$(state_of all)"/{intake,decision}.db* "$copies/stopped"
audit 0 "$copies/stopped/intake.db" "$copies/stopped/decision.db"
same 'copies by cp' "$(sed '1,2d' <<<"$body")" "$(verdict running yes && sed '1,2d' <<<"$body")"
ok 'copies by cp of a stopped pipeline say the same'

audit 0 "$copies/running-intake.db" "$copies/running-decision.db" --json
expect_json '.converged == true and .bookings == 3 and .differing == 0 and .intakeTrail.brokenAt == null and
    .requests.attempted == 3 and .requests.ok == 3 and .confirmations.ok == 2 and .firstDiffering == null' '--json'
ok '--json says it for machines'

sqlite3 "$copies/running-decision.db" 'UPDATE bookings SET status = 1 WHERE status = 0'
verdict running no
grep -q '^differing: 1, first ' <<<"$body" || fail 'the differing booking is named'
audit 1 "$copies/running-intake.db" "$copies/running-decision.db" --json
expect_json '.converged == false and .differing == 1 and .untold == 1 and .firstTroubled == .firstDiffering' '--json'
ok 'a booking decided by hand is found and named'

printf 'no store' >"$copies/text.db"
head -c 20000 "$copies/running-intake.db" >"$copies/torn.db"
sqlite3 "$copies/running-intake.db" "VACUUM INTO '$copies/newer.db'"
sqlite3 "$copies/newer.db" 'PRAGMA user_version = 99'
decision=$copies/running-decision.db
refused()
{
    audit "$1" "$2" "$3"
    [[ $said == *"$4"* && $(wc -l <<<"$said") == 1 && -z $body ]] || fail "audit $2 $3 says: $4, not: $said $body"
}
refused 78 "$decision" "$copies/running-intake.db" 'INTAKE.db comes first'
refused 78 "$decision" "$decision" 'INTAKE.db comes first'
refused 78 "$copies/absent.db" "$decision" 'No such file'
refused 78 "$copies/text.db" "$decision" 'not a database'
refused 78 "$copies/newer.db" "$decision" 'newer than the'
refused 78 "$(state_of all)/queues.db" "$decision" 'not a store of this kind'
refused 1 "$copies/torn.db" "$decision" 'torn.db'
audit 2 "$decision"
audit 2 a b c
audit 2 a b --nonsense
audit 0 --help
ok 'what is no store, swapped, torn, newer or absent is refused by name'
finish
