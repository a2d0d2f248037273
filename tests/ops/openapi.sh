#!/usr/bin/env bash
# The document that both workers serve is an OpenAPI document, and they do what it says: random requests, right and wrong, for every
# operation, each answer held against the document by a validator that is not ours. Prints its seed.
#
#   openapi.sh BUILD_FOLDER
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/prove/figure.sh
source "$here/../prove/figure.sh"

runs=50 seed=${SEED:-$RANDOM}
[[ $size != ci ]] || runs=20

# Its packages, once, beside those of the SQS tests, whose Node it uses.
install_packages()
{
    node=$("$here/../sqs/peers.sh" "$build")
    packages=$build/../openapi-peers
    mkdir -p "$packages"
    exec {lock}>"$packages/lock"
    flock --timeout 300 "$lock"
    cmp --silent "$here/openapi/package-lock.json" "$packages/installed" || {
        cp "$here"/openapi/package*.json "$packages"
        (cd "$packages" && timeout 120 npm ci --no-audit --no-fund --no-update-notifier --ignore-scripts) >"$packages/npm.log" 2>&1 ||
            fail "npm ci: $(tail -n 3 "$packages/npm.log")"
        cp "$here/openapi/package-lock.json" "$packages/installed"
    }
    cp "$here/openapi/requests.mjs" "$packages"
    exec {lock}>&-
}

# ask NAME: prints what was counted; with what went wrong, fails.
ask()
{
    "$node" --no-warnings "$packages/requests.mjs" "${url[$1]}" "$runs" "$seed" salon u-1 "$id"
}

# The guard can fail: a document that promises something else is told apart.
a_wrong_document_is_found()
{
    local port wrong
    for wrong in '.paths["/health"].get.responses = {"204": {"description": "nothing"}}' \
        '.components.schemas.Booking.properties.status = {"type": "integer"}' 'del(.info)'; do
        get "${url[all]}/openapi.json"
        jq "$wrong" <<<"$body" >"$work/wrong.json"
        : >"$work/port"
        python3 -B "$here/openapi/other_document.py" "${url[all]}" "$work/wrong.json" >"$work/port" 2>/dev/null &
        helpers+=($!)
        until_true 10 'the other document is served' test -s "$work/port"
        port=$(<"$work/port")
        url[wrong]=http://127.0.0.1:$port
        ! NO_SHRINKING=1 ask wrong >"$work/said.txt" 2>&1 || fail "found: $wrong"
    done
    ok 'control: three documents that say something else are found'
}

command -v npm >/dev/null || { figure O7 SKIPPED 'npm is missing' && exit 0; }
install_packages
start_worker all all
make_slots all salon s 200
book all s-1 u-1
counted=$(ask all 2>"$work/said.txt") || fail "seed $seed: $(<"$work/said.txt")"
figure O7 ok "openapi: $(jq -r '"\(.requests) random requests to \(.operations) operations, statuses \(.statuses | keys | join(" "))"' <<<"$counted"): each answer as the document says; seed $seed"
a_wrong_document_is_found
finish
