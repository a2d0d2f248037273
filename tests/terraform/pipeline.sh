#!/usr/bin/env bash
# The whole pipeline on what the Terraform module makes: the example for a local endpoint is applied to
# an SQS server, both workers run with their environment files as they come, doctor looks, and every
# call that anybody made is held against the IAM policies.
# shellcheck disable=SC2317 # what until_true calls
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
# shellcheck source=tests/terraform/stand_in.sh
source "$(dirname "${BASH_SOURCE[0]}")/stand_in.sh"
# shellcheck source=tests/sqs/peer.sh
source "$here/../sqs/peer.sh"

provider=salon
applied=$work/applied # what Terraform says that it made

# applies STANDARD|FIFO: the example, in a folder of its own.
applies()
{
    local example=$work/$1/examples/local-endpoint fifo=false
    [[ $1 == standard ]] || fifo=true
    copy_module "$work/$1"
    terraform_in "$example" init
    terraform_in "$example" apply -auto-approve -var endpoint="$peer_url" -var fifo=$fifo
    terraform -chdir="$example" output -json >"$applied"
    for worker in intake decision; do
        jq -j ".environment_files.value.$worker" "$applied" >"$work/$worker.env"
    done
}

# --- who asks

make_accounts()
{
    local who
    for who in intake decision operator; do
        peer /account "{\"accessKey\":\"$who\",\"secretKey\":\"secret-of-$who\"}" >/dev/null
    done
}

# credentials WHO: what the machine's role would give; sets $credentials.
credentials()
{
    credentials=(AWS_ACCESS_KEY_ID="$1" "AWS_SECRET_ACCESS_KEY=secret-of-$1")
}

# begin WORKER KIND: the file's lines are the environment, as systemd has it.
begin()
{
    local -a lines
    credentials "$1"
    mapfile -t lines < <(grep -v '^#' "$work/$1.env")
    start_worker "$1-$2" "$1" "${lines[@]}" "${credentials[@]}"
}

# bookflow_as WHO ARGUMENTS...: its output is $body.
bookflow_as()
{
    credentials "$1"
    body=$(bookflow_with "${credentials[@]}" BOOKFLOW_STATE_DIR="$work/nothing" BOOKFLOW_URL="${url[intake-standard]}" -- \
        "${@:2}" --env-file "$work/intake.env" 2>"$work/as.log") || fail "bookflow ${*:2} as $1 ends with $?: $body $(<"$work/as.log")"
}

# --- the environment files

# checks WORKER FILE CODE: what `serve WORKER --check` says of the file.
checks()
{
    local code=0
    bookflow_with HOME="$work" -- serve "$1" --check --env-file "$work/$2" >"$work/check.log" 2>&1 || code=$?
    same "serve $1 --check of $2" "$3" "$code"
}

environment_files_are_accepted()
{
    for worker in intake decision; do
        checks $worker $worker.env 0
        sed '/CONFIRMATION/d' "$work/$worker.env" >"$work/short.env"
        checks $worker short.env 78
    done
    ok 'T5: serve --check accepts both environment files byte for byte, and misses a line that is gone'
}

# --- the flow

inbox()
{
    echo "/providers/$provider/bookings/$id"
}

# round KIND SLOT VERB STATUS
round()
{
    book "intake-$1" "$2" "user-$2"
    until_true 20 'the inbox shows it' shows "decision-$1" "$(inbox)" pending
    post "${url[decision-$1]}$(inbox)/$3"
    expect_status 200 "$3"
    until_true 20 "intake shows $4" shows "intake-$1" "/bookings/$id" "$4"
}

is_empty()
{
    (($(peer "/depth?queue=$1" | jq .depth) == 0))
}

# flows KIND SUFFIX
flows()
{
    begin intake "$1"
    begin decision "$1"
    make_slots "intake-$1" $provider "$1" 4
    round "$1" "$1-1" accept confirmed
    round "$1" "$1-2" reject rejected
    round "$1" "$1-3" accept confirmed
    post "${url[decision-$1]}$(inbox)/cancel"
    expect_status 200 withdraw
    until_true 20 'intake shows the withdrawal' shows "intake-$1" "/bookings/$id" cancelled
    book "intake-$1" "$1-4" user-4
    post "${url[intake-$1]}/bookings/$id/cancel"
    expect_status 200 cancel
    until_true 20 'the inbox shows the cancel' shows "decision-$1" "$(inbox)" cancelled
    for queue in request confirmation; do
        until_true 20 "$queue runs empty" is_empty "bookflow-$queue$2"
    done
    ok "T9: booked, accepted, rejected, cancelled by either side, on $1 queues as planned"
}

# --- the operators

doctor_has_nothing_to_add()
{
    bookflow_as operator doctor --json
    expect_json 'all(.verdict == "ok") and (map(select(.about | test("queue|dead letters"))) | length >= 16)' 'doctor is content'
    ok "doctor: $(field 'length') findings, all ok, of queues and dead letters as they come"
}

# holds NUMBER: in each dead-letter queue.
holds()
{
    for name in request confirmation; do
        (($(peer "/depth?queue=bookflow-$name-dlq" | jq .depth) == $1)) || return 1
    done
}

# For both workers, each of which takes so long to bury its letter that it renews the lease.
poison()
{
    peer /faults '{"rules":[{"call":"SendMessageBatch","fault":"delay","ms":5000,"times":2}]}' >/dev/null
    for name in request confirmation; do
        peer /put "{\"queue\":\"bookflow-$name\",\"messages\":[{\"body\":\"poison\"}]}" >/dev/null
    done
    until_true 20 'both are dead letters' holds 1
}

# mend QUEUE WORKER: the worker's own credentials are enough to look.
mend()
{
    bookflow_as "$2" dlq list --queue "$1" --json
    expect_json 'length == 1 and .[0].reason != null' 'a worker lists its own'
    bookflow_as "$2" dlq show "$(field '.[0].id')" --queue "$1" --json
    bookflow_as operator dlq redrive --all --queue "$1" --json
    expect_json '.[0].outcome == "redriven"' 'redrive'
}

dead_letters_are_mended()
{
    poison
    mend request decision
    mend confirmation intake
    until_true 20 'they are back' holds 1
    bookflow_as operator queues --json
    expect_json 'length == 2 and all(.deadLetters == 1)' 'queues'
    for queue in request confirmation; do
        bookflow_as operator dlq list --queue $queue --json
        bookflow_as operator dlq drop "$(field '.[0].id')" --queue $queue
    done
    holds 0 || fail 'they are gone'
    ok 'dead letters are listed and shown by their worker, redriven and dropped by the operator'
}

# --- the policies

# judged FILTER: the calls so far against the policies, which the filter may change first.
judged()
{
    local documents
    documents=$(jq ".iam_policy_documents.value | map_values(fromjson) | $1" "$applied")
    peer /counts | jq --argjson documents "$documents" -f "$here/policies.jq"
}

the_policies_fit_the_calls()
{
    body=$(judged .)
    expect_json '[.denied[], .["allowed to the other worker"][]] | flatten == []' 'each call is allowed, and none by the policy of the other worker'
    expect_json '[.unused[]] | flatten == []' 'nothing is allowed that was not asked for'
    ok "T2: calls of a kind, all allowed, none to the other worker, nothing granted besides: $(field '.kinds | tojson')"
    body=$(judged '{intake: .decision, decision: .intake, operator: .operator}')
    expect_json '(.denied.intake | length > 0) and (.["allowed to the other worker"].decision | length > 0)' 'control'
    body=$(judged '.operator.Statement[0].Action += ["sqs:PurgeQueue"]')
    expect_json '.unused.operator | length > 0' 'control'
    ok 'control: swapped policies and an action too much are seen'
}

# --- everything

start_peer ''
helpers+=("$peer_pid")
start_stand_in
make_accounts
applies standard
environment_files_are_accepted
flows standard ''
doctor_has_nothing_to_add
dead_letters_are_mended
stop_worker intake-standard
stop_worker decision-standard
the_policies_fit_the_calls
applies fifo
flows fifo .fifo
finish
