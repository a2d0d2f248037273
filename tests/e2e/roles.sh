#!/usr/bin/env bash
# Who may call what: every operation of openapi.yaml by every kind of caller, against the real worker. The
# routes come from the document and from the sources, what is expected of each from the rows of roles.py:
# a route without a row fails.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/prove/figure.sh
source "$(dirname "${BASH_SOURCE[0]}")/../prove/figure.sh"

here=$(dirname "${BASH_SOURCE[0]}")
state=$(state_of all)

# token NAME ARGUMENTS...: what a new one is, ID.SECRET.
token()
{
    bookflow_with BOOKFLOW_STATE_DIR="$state" -- token create "$@" | sed 's/.* //'
}

mkdir -p "$state"
declare -A tokens
tokens[admin]=$(token root --role admin)
tokens[booker]=$(token app --role booker)
tokens[own]=$(token 'front desk' --role provider --provider salon)
tokens[other]=$(token 'other desk' --role provider --provider other)
tokens[expired]=$(token late --role admin --expires 1)
tokens[revoked]=$(token gone --role admin)
tokens[wrong_secret]=${tokens[admin]%.*}.${tokens[booker]#*.}
sed -i "s/^\(${tokens[expired]%.*} .*Z \)[^ ]*Z late$/\12020-01-01T00:00:00Z late/" "$state/tokens"
grep -q '2020-01-01T00:00:00Z late' "$state/tokens" || fail 'a token is late'
bookflow_with BOOKFLOW_STATE_DIR="$state" -- token revoke "${tokens[revoked]%.*}"
start_worker all all
for name in "${!tokens[@]}"; do
    printf '%s %s\n' "$name" "${tokens[$name]}"
done >"$work/callers"
summary=$(python3 -B "$here/roles.py" "${url[all]}" "$work/callers" "$here/../..") || fail 'the table of roles holds'
ok "$summary"
figure S5 ok "$summary"
finish
