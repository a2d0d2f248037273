#!/usr/bin/env bash
# Texts from outside on a real terminal: every input of the sanitiser's fuzz corpus as a name and a reason,
# shown by the console on a pty and by the verbs. The raw bytes hold nothing that acts or hides.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" "${1-}"
# shellcheck source=tests/prove/figure.sh
source "$(dirname "${BASH_SOURCE[0]}")/../prove/figure.sh"

here=$(dirname "${BASH_SOURCE[0]}")
start_worker all all
summary=$(HOME=$work python3 -B "$here/display.py" "${url[all]}" "$build" "$here/../fuzz/corpus") || fail 'nothing that is shown acts'
ok "$summary"
figure S14 ok "$summary"
finish
