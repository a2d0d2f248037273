#!/usr/bin/env bash
# An attacker: hostile requests of every kind, slow senders, floods of requests and of connections, by
# attacker.py. He gets clear refusals and nothing else, and a good client does not feel it.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/prove/figure.sh
source "$(dirname "${BASH_SOURCE[0]}")/../prove/figure.sh"

here=$(dirname "${BASH_SOURCE[0]}")
most_ms=50
! grep -qx 'BOOKFLOW_SANITIZE:[A-Z]*=ON' "$build/CMakeCache.txt" || most_ms=0 # a sanitizer's speed proves nothing

# token NAME ARGUMENTS...: ID.SECRET of a new one.
token()
{
    bookflow_with BOOKFLOW_STATE_DIR="$(state_of all)" -- token create "$@" | sed 's/.* //'
}

mkdir -p "$(state_of all)"
{
    printf 'admin %s\n' "$(token root --role admin)"
    printf 'booker %s\n' "$(token app --role booker)"
    printf 'own %s\n' "$(token 'front desk' --role provider --provider salon)"
} >"$work/callers"
start_worker all all
python3 -B "$here/attacker.py" "${url[all]}" "$work/callers" "$most_ms" >"$work/figures" || fail 'the attacker gets clear refusals only'
while IFS= read -r line; do
    ok "$line"
done <"$work/figures"
get "${url[all]}/ready"
expect_status 200 'the worker afterwards'
stop_worker all
figure S7 ok "$(paste -sd ';' "$work/figures" | sed 's/;/; /g')"
finish
