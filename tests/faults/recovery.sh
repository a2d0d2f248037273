#!/usr/bin/env bash
# A worker that starts with a hundred thousand events to send: recovery.sh BUILD_FOLDER [ROWS].
# On a disk whose fsync is one, if /tmp is: the time is the figure.
scratch=/tmp
# shellcheck source=tests/faults/kills_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/kills_lib.sh" "${1-}"

rows=100000 rounds=3 limit_ms=1000
case $size in
ci) rows=20000 ;;
nightly) rounds=7 ;;
esac

"$programs/fault_recovery" "$bookflow" "$work" "${2:-$rows}" "$rounds" "$limit_ms" || {
    figures_missed=1
    tail -n 20 "$work/log"
}

# A store that is not ready in time is seen.
mkdir "$work/control"
mark=MISSED
! fails "$programs/fault_recovery" "$bookflow" "$work/control" 100 1 0 || mark=ok
figure R12 $mark 'recovery, control: ready later than the limit is found'
finish
