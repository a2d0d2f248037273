#!/usr/bin/env bash
# Everything that CI runs, part by part: all.sh all|quick. Called by `./run test`, which has
# installed what is needed. Stops at the first part that fails; the last line counts.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
logs=build/test
cores=$(nproc)
passed=0 failed=0

# --- The parts. Each prints what is wrong and fails.

layout()
{
    find workers store tui tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
}

limits()
{
    local wrong
    wrong=$(
        find workers store tui -name '*.c' -print0 | xargs -0 pmccabe |
            awk '$5 > 60 { print $6, $7 ": " $5 " lines, 60 are allowed" }
                $2 > 15 { print $6, $7 ": complexity " $2 ", 15 is allowed" }'
        find workers store tui -name '*.[ch]' -print0 | xargs -0 wc -l |
            awk '$2 != "total" && $1 > 400 { print $2 ": " $1 " lines, 400 are allowed" }'
    )
    printf '%s' "$wrong"
    [[ -z $wrong ]]
}

# Needs the compile commands of the sanitizer build.
tidy()
{
    find workers store tui -name '*.c' -print0 |
        xargs -0 -P "$cores" -n 8 clang-tidy -p build/dev --quiet
}

# built PRESET [CTEST ARGUMENT...]
built()
{
    cmake --preset "$1" && cmake --build --preset "$1"
}

tested()
{
    local preset=$1
    shift
    built "$preset" && ctest --preset "$preset" -j "$cores" "$@"
}

# --- How they are run.

# count_tests LOG: what CTest says at its end, if it was asked.
count_tests()
{
    local tests
    read -r -a tests < <(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$1") || return 0
    failed=$((failed + tests[0]))
    passed=$((passed + tests[1] - tests[0]))
    detail="${tests[1]} tests"
}

# part NAME COMMAND...
part()
{
    local began=$SECONDS log=$logs/${1// /-}.log detail='' name=$1 code=0
    shift
    "$@" >"$log" 2>&1 </dev/null || code=$?
    count_tests "$log"
    if ((code == 0)); then
        passed=$((passed + 1))
        printf 'ok      %-36s %4d s  %s\n' "$name" $((SECONDS - began)) "$detail"
        return
    fi
    failed=$((failed + (failed == 0)))
    printf 'FAILED  %-36s %4d s  %s\n\n' "$name" $((SECONDS - began)) "$log"
    tail -n 60 "$log"
    summary
    exit 1
}

summary()
{
    printf '\n%d s\n%d passed, %d failed\n' "$SECONDS" "$passed" "$failed"
}

quick()
{
    part 'sanitizer build, unit tests' tested dev --label-exclude e2e
}

all()
{
    part 'sanitizer build, all tests' tested dev
    part 'release build, unit tests' tested release --label-exclude e2e
    part 'clang without a warning' built clang
    part 'clang-tidy' tidy
    part 'the demo and its console' tests/e2e/demo.sh .
    part 'the proofs, size ci' tests/prove/prove.sh ci
    sed -n '/figures, size/,$p' "$logs/the-proofs,-size-ci.log"
}

[[ ${1-} == all || ${1-} == quick ]] || { echo 'usage: ./run test [all|quick]' >&2 && exit 2; }
mkdir -p "$logs"
part 'layout' layout
part 'limits' limits
"$1"
summary
