#!/usr/bin/env bash
# What SECURITY.md says is so: each test it names exists and is run, each threat and promise names one; and
# the rule for SQL that it states is kept by the sources. The build folder is not looked at.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/prove/figure.sh
. tests/prove/figure.sh
wrong=0

complain()
{
    printf 'not ok - %s\n' "$*" >&2
    wrong=1
}

# --- The page.

# A script is run by CTest or by a proof, another file is part of a target; suite::name is a Test().
check_name()
{
    local name=$1 stem=${1##*/}
    if [[ $name == *::* ]]; then
        grep -qrE --include='*.c' "Test\(${name%%::*}, ${name##*::}[,)]" tests || complain "SECURITY.md: there is no test $name"
        return
    fi
    [[ -f $name ]] || { complain "SECURITY.md: there is no $name" && return; }
    stem=${stem%.*}
    [[ $name == tests/e2e/lib.sh ]] || grep -qE "\b(${stem#fuzz_}|$stem)\b" tests/CMakeLists.txt tests/fuzz/CMakeLists.txt tests/prove/prove.sh ||
        complain "SECURITY.md: nothing runs $name"
}

named=0
check_row()
{
    local names column=${2% |}
    # shellcheck disable=SC2016 # the backticks are the page's
    mapfile -t names < <(grep -oE '`(tests/[^`]*|[a-z_]+::[a-z0-9_]+)`' <<<"${column##*| }" | tr -d '`')
    ((${#names[@]} > 0)) || complain "SECURITY.md: $1 names no test"
    for name in "${names[@]}"; do
        check_name "$name"
        named=$((named + 1))
    done
}

rows=0
for id in API{1..10} S{1..17}; do
    row=$(grep -E "^\| $id \|" SECURITY.md) || { complain "SECURITY.md: no row $id" && continue; }
    [[ $(wc -l <<<"$row") -eq 1 ]] || complain "SECURITY.md: $id twice"
    check_row "$id" "$row"
    rows=$((rows + 1))
done

# --- SQL. Only store/sqlite and the embedded queue's own files speak to SQLite; no text of SQL is put together,
# but for a pragma's number, which cannot be bound; what is run is a constant.

sources=(--include='*.c' --include='*.h' -r store workers tui)
words='(SELECT|INSERT|UPDATE|DELETE|REPLACE|PRAGMA|ATTACH|CREATE|DROP|ALTER|WHERE|ORDER BY|VALUES)\b'
made=$(grep -nE "(printf|buf_append|buf_text_append|strcat|strncat|memcpy)\(.*\" *$words" "${sources[@]}" |
    grep -vF 'store/sqlite/db.c' || true)
[[ -z $made ]] || complain "SQL is put together: $made"
[[ $(grep -cE "printf\(.*\" *$words" store/sqlite/db.c) -eq 1 ]] || complain 'store/sqlite/db.c puts together more than one pragma'
calls=$(grep -nE 'sqlite3_(exec|prepare|get_table|mprintf|vmprintf)' "${sources[@]}" | grep -v '^store/sqlite/' || true)
[[ -z $calls ]] || complain "SQLite is spoken to elsewhere: $calls"
loose=$(grep -nE '\b(db_run|db_query)\([^,]+, *([a-z_]*(buf|text|format)[a-z_]*\(|&?[a-z_]+\.data|[a-z_]+->data)' "${sources[@]}" || true)
[[ -z $loose ]] || complain "SQL from a buffer is run: $loose"
mutable=$(grep -nE '\bchar \*?(sql|SQL)\b' "${sources[@]}" | grep -vE 'const char|store/sqlite/db.c.*char sql\[PRAGMA_SIZE\]' || true)
[[ -z $mutable ]] || complain "SQL in what can be changed: $mutable"
grep -q 'SQLITE_DBCONFIG_DEFENSIVE, 1' store/sqlite/db.c || complain 'stores are not defensive'
grep -q 'SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0' store/sqlite/db.c || complain 'stores load extensions'
statements=$(grep -cE '\b(db_run|db_query)\(' "${sources[@]}" | awk -F : '{ sum += $2 } END { print sum }')

# --- What else no source may do.

! grep -nE 'text/csv' "${sources[@]}" || complain 'a CSV is written: escape what a spreadsheet would calculate, and say so in SECURITY.md'

((wrong == 0)) || exit 1
figure S9 ok 'duplicate keys, depth, numbers, UTF-8, length: tables and fuzz targets of SECURITY.md; the requests in attacker.sh'
figure S15 ok 'calendar, mail headers and payloads: the tables named in SECURITY.md; no CSV is written'
figure S16 ok "$statements statements, all constant text with bound parameters; defensive, no extensions"
figure S17 ok "$rows rows of SECURITY.md name $named tests, all of which exist"
