# What the harnesses with real processes share. Sourced with the build folder as $1. Knows nothing of
# what is proven.
# shellcheck shell=bash disable=SC2034

set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8 TZ=UTC

faults=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
build=$(cd "${1:?usage: HARNESS.sh BUILD_FOLDER ...}" && pwd)
bookflow=$build/workers/bookflow
programs=$build/tests/faults
shim=$programs/libfault_shim.so
# shellcheck source=tests/prove/figure.sh
source "$faults/../prove/figure.sh"

# A short path, since unix sockets are in it. In memory unless the harness says otherwise: a process
# that is killed loses no page cache, on whatever disk.
scratch=${scratch:-/dev/shm}
[[ -w $scratch ]] || scratch=/tmp
work=$(mktemp -d "$scratch/bookflow.XXXXXX")
started=() # processes to end
begun=$SECONDS

clean_up()
{
    local code=$? id
    for id in "${started[@]}"; do
        kill -KILL "$id" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$work"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

now_ms()
{
    echo $((${EPOCHREALTIME/./} / 1000))
}

# fails COMMAND...: a control is found when the command says 1, not when it could not look (2).
fails()
{
    local code=0
    "$@" >>"$work/controls.log" 2>&1 || code=$?
    ((code == 1))
}

finish()
{
    printf '%s: %d s\n' "$(basename "$0")" $((SECONDS - begun))
    exit "$figures_missed"
}
