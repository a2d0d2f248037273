#!/usr/bin/env bash
# What the console costs, figure by figure: figures.sh BUILD_FOLDER; the size is $PROVE_SIZE.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/prove/figure.sh
source "$here/../prove/figure.sh"
: "${1:?usage: figures.sh BUILD_FOLDER}"

while read -r id mark text; do
    figure "$id" "$mark" "$text"
done < <(/usr/bin/python3 -B "$here/figures.py" "$1" "${size:-full}" || echo "C0 MISSED figures.py ended with $?")
exit "$figures_missed"
