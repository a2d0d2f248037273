#!/usr/bin/env bash
# Programs that look for faults in ours, one part each: analysers.sh cppcheck|gcc|tsan|valgrind [BUILD].
# BUILD is the folder to build in (build/plain, for tsan build/tsan). Each part plants a fault, and is
# broken when the fault passes. ASan, UBSan and clang-tidy are at work in e2e/all.sh.
set -euo pipefail
shopt -s inherit_errexit

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/prove/figure.sh
source tests/prove/figure.sh
part=${1:?usage: analysers.sh cppcheck|gcc|tsan|valgrind [BUILD]}
work=$(mktemp -d "${TMPDIR:-/tmp}/bookflow-analysers.XXXXXX")
trap 'rm -rf "$work"' EXIT

# --- What the parts share.

# configured PRESET [TARGET...]: BUILD has it, the targets are built. Prints only when that fails.
configured()
{
    local preset=$1
    shift
    mkdir -p "$build"
    {
        cmake --preset "$preset" -B "$build" &&
            { (($# == 0)) || cmake --build "$build" --target "$@"; }
    } >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" && exit 1; }
    build=$(cd "$build" && pwd)
}

# verdict LOG FINDINGS found|missed TEXT: the figure; the log is shown when it has something.
verdict()
{
    local log=$1 found=$2 control=$3 text=$4
    if ((found == 0)) && [[ $control == found ]]; then
        figure R9 ok "$text: 0 findings; the planted fault is found"
        return
    fi
    tail -n 60 "$log"
    figure R9 MISSED "$text: $found findings; the planted fault: $control"
}

# command_of SOURCE: how BUILD compiles it, without where to.
command_of()
{
    jq -r --arg file "$PWD/$1" 'first(.[] | select(.file == $file)) | .command | sub(" -o [^ ]+"; "")' \
        "$build/compile_commands.json"
}

# patched SOURCE SED: a copy with the fault planted, in $work; fails when the code has moved away.
patched()
{
    sed "$2" "$1" >"$work/planted.c"
    ! cmp -s "$1" "$work/planted.c" || { printf 'there is no such place in %s\n' "$1" && exit 1; }
}

# linked TARGET SOURCE OUTPUT: TARGET of BUILD, with the planted copy in place of SOURCE.
linked()
{
    local compile link
    compile=$(command_of "$2")
    link=$(ninja -C "$build" -t commands "$1" | tail -n 1)
    (
        cd "$build"
        eval "${compile%% -c *} -iquote $(dirname "$OLDPWD/$2") -c $work/planted.c -o $work/planted.o"
        eval "${link/ -o $1/ $work/planted.o -o $3}"
    )
}

# --- cppcheck

cppcheck_of()
{
    local -a folders
    mapfile -t folders < <(find workers store tui -type d -printf '-I%p\n')
    cppcheck --quiet -j 2 --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --template='{file}:{line}: {id}: {message}' -D_GNU_SOURCE -DBOOKFLOW_VERSION='"0"' "${folders[@]}" "$@"
}

run_cppcheck()
{
    local log=$work/cppcheck.log control=missed
    cppcheck_of workers store tui >"$log" 2>&1 || printf 'exit code %d\n' $? >>"$log"
    patched workers/base/buf.c 's/if (capacity < needed)/char lost[4]; lost[needed - needed + 4] = 0;&/'
    cppcheck_of "$work/planted.c" >"$work/control.log" 2>&1 || control=found
    verdict "$log" "$(wc -l <"$log")" "$control" \
        "cppcheck $(cppcheck --version | tr -dc '0-9.'), $(find workers store tui -name '*.c' | wc -l) files"
}

# --- gcc -fanalyzer

# analyse SOURCE [COPY]: prints what is found.
analyse()
{
    local compile
    compile=$(command_of "$1")
    (cd "$build" && eval "${compile%% -c *} -Wno-error -fanalyzer -c ${2:-$OLDPWD/$1} -o /dev/null" 2>&1) ||
        echo "error: $1 does not compile"
}

run_gcc()
{
    local log=$work/gcc.log control=missed sources
    configured plain
    mapfile -t sources < <(find workers store tui -name '*.c')
    export -f analyse command_of
    export build
    printf '%s\n' "${sources[@]}" | xargs -P 2 -I{} bash -c 'analyse {}' >"$log"
    patched workers/base/buf.c 's/^    buf->data = memory_resize.*/    free(buf->data);\n    free(buf->data);\n&/'
    ! analyse workers/base/buf.c "$work/planted.c" | grep -q 'Wanalyzer-double-free' || control=found
    verdict "$log" "$(grep -Ec 'warning:|error:' "$log" || true)" "$control" "gcc -fanalyzer, ${#sources[@]} files"
}

# --- ThreadSanitizer, on the programs: Criterion does not start under it

# under_tsan SCRIPT BUILD: into a log of its own; a report ends the script with a failure. The
# console's reports go into files: its terminal is tmux.
under_tsan()
{
    local log=$work/${1##*/}.log
    TSAN_OPTIONS=log_path=$work/report.${1##*/} "tests/$1" "$2" >"$log" 2>&1 && return
    printf '%s failed\n' "$1"
    tail -n 60 "$log"
}

run_tsan()
{
    local log=$work/tsan.log control=missed found=0 script scripts=(e2e/race.sh e2e/two_workers.sh)
    configured tsan bookflow bookflow-console
    [[ $size == ci ]] || scripts+=(e2e/disorder.sh e2e/durability.sh console.sh e2e/console_answers.sh)
    export -f under_tsan
    export work
    printf '%s\n' "${scripts[@]}" |
        xargs -P 2 -I{} bash -c "under_tsan {} '$build'" >"$log"
    for script in "$work"/report.*; do
        [[ ! -s $script ]] || cat "$script" >>"$log"
    done
    found=$(grep -Ec '^[a-z0-9_/]*\.sh failed|WARNING: ThreadSanitizer' "$log" || true)

    patched store/sqlite/writer.c '/^void writer_submit/,/^}/ { /pthread_mutex_/d }'
    mkdir -p "$work/racy/workers"
    linked workers/bookflow store/sqlite/writer.c "$work/racy/workers/bookflow"
    under_tsan e2e/race.sh "$work/racy" >/dev/null
    ! grep -q 'ThreadSanitizer: data race' "$work/race.sh.log" || control=found
    verdict "$log" "$found" "$control" "TSan, both workers and the console through ${#scripts[@]} end-to-end scripts"
}

# --- valgrind

# Not those that count on a process for each test, as Criterion has it, nor those that time the peer.
valgrind_tests=(booking buf event gate ids json_fields timestamp answers attempts idempotency outbox
    intake_store decision publisher_troubles consumer server_stream client loop screen)

memcheck()
{
    valgrind --quiet --error-exitcode=9 --leak-check=full --num-callers=20 "$@"
}

# under_valgrind TEST
under_valgrind()
{
    local log=$work/${1##*/}.log
    LD_PRELOAD=$work/plain_runner.so memcheck "$1" >"$log" 2>&1 && return
    printf '%s failed\n' "$1"
    tail -n 60 "$log"
    return 1
}

# A stand-in for the build folder, whose bookflow runs under valgrind.
slow_build()
{
    mkdir -p "$work/slow/workers"
    printf '#!/bin/sh\nexec valgrind --quiet --error-exitcode=9 --leak-check=full %s "$@"\n' \
        "$build/workers/bookflow" >"$work/slow/workers/bookflow"
    chmod +x "$work/slow/workers/bookflow"
}

run_valgrind()
{
    local log=$work/valgrind.log control=missed found
    configured plain bookflow "${valgrind_tests[@]/#/test_}"
    gcc -std=c17 -D_GNU_SOURCE -g -shared -fPIC -Wall -Wextra -Werror -o "$work/plain_runner.so" \
        tests/prove/plain_runner.c -lcriterion
    slow_build
    tests/e2e/race.sh "$work/slow" >"$work/race.log" 2>&1 ||
        { echo 'race.sh failed' && tail -n 60 "$work/race.log"; } >"$log"
    export -f under_valgrind memcheck
    export work
    printf '%s\n' "${valgrind_tests[@]/#/$build/tests/test_}" |
        xargs -P 2 -I{} bash -c 'under_valgrind {} || true' >>"$log"
    found=$(grep -Ec ' failed$' "$log" || true)

    patched workers/base/buf.c 's/calloc(\(.*\), \(.*\));/malloc((\1) * (\2));/'
    linked tests/test_outbox workers/base/buf.c "$work/test_planted"
    under_valgrind "$work/test_planted" >"$work/control.log" ||
        ! grep -q 'uninitialised' "$work/control.log" || control=found
    verdict "$log" "$found" "$control" \
        "valgrind, ${#valgrind_tests[@]} test programs and a worker through an end-to-end script"
}

build=${2:-build/plain}
case $part in
cppcheck) run_cppcheck ;;
gcc) run_gcc ;;
tsan) build=${2:-build/tsan} && run_tsan ;;
valgrind) run_valgrind ;;
*) echo 'usage: analysers.sh cppcheck|gcc|tsan|valgrind [BUILD]' >&2 && exit 2 ;;
esac
exit "$figures_missed"
