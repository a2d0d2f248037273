# How a harness in bash reports a figure; see figure.h. Sourced.
# shellcheck shell=bash

size=${PROVE_SIZE:-full} # ci, full or nightly
figures_missed=0

# figure ID ok|MISSED TEXT
figure()
{
    printf 'FIGURE %s %s %s\n' "$1" "$2" "$3"
    [[ $2 == ok ]] || figures_missed=1
}
