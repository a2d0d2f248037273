#!/usr/bin/env bash
# What can be said of package, units, manual and samples without starting them: lintian, hardening-check, mandoc, systemd-analyze,
# promtool, and that the manual tells of every verb, setting and message that the code has.
#
#   package.sh BUILD_FOLDER
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/prove/figure.sh
source "$here/../prove/figure.sh"
# shellcheck source=tests/ops/tools.sh
source "$here/tools.sh"

source=$(cd "$here/../.." && pwd)
systemd=$source/workers/systemd man=$source/workers/man

# same_names WHAT FILE FILE: two lists of names, each in one of the two and not in the other.
same_names()
{
    local odd
    odd=$(comm -3 <(sort -u "$2") <(sort -u "$3"))
    [[ -s $2 ]] || fail "$1: a list is empty"
    same "$1" '' "$odd"
}

# Every message that the code can log is in the manual, and no other.
messages_are_in_the_manual()
{
    grep -rhoE 'log_(event|failure)\([^;]*' "$source/workers" --include='*.c' -z | tr '\0' '\n' >"$work/calls.txt"
    grep -rhoE '"[a-z]+\.[a-z_]+"' "$source/workers/report.c" "$work/calls.txt" | tr -d '"' | grep -vE '\.(h|db|c)$' | sort -u >"$work/logged.txt"
    sed -n 's/^\.It Sy \([a-z].*\)/\1/p' "$man/bookflow-messages.7" | tr -d ' ' | tr , '\n' >"$work/manual.txt"
    same_names 'messages in the code and in bookflow-messages(7)' "$work/logged.txt" "$work/manual.txt"
    ok "bookflow-messages(7) has the $(wc -l <"$work/logged.txt") messages of the code"
}

verbs_are_in_the_manual()
{
    bookflow_with -- --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >"$work/verbs.txt"
    sed -n 's/^\.Cm \([a-z]*\).*/\1/p; s/^\.It Cm \([a-z]*\).*/\1/p' "$man/bookflow.1" | sort -u >"$work/manual.txt"
    same 'verbs that bookflow(1) leaves out' '' "$(comm -23 <(sort -u "$work/verbs.txt") "$work/manual.txt")"
    ok "bookflow(1) has all $(wc -l <"$work/verbs.txt") verbs"
}

settings_are_in_the_manual()
{
    grep -rhoE '"(BOOKFLOW|AWS|SQS)_[A-Z0-9_]+"' "$source/workers" --include='*.c' | tr -d '"' | grep -v '^BOOKFLOW_VERSION$\|_$' | sort -u >"$work/read.txt"
    same 'settings that bookflow.env(5) leaves out' '' "$(grep -oE '(BOOKFLOW|AWS|SQS)_[A-Z0-9_]+' "$man/bookflow.env.5" | sort -u | comm -23 "$work/read.txt" -)"
    ok "bookflow.env(5) has all $(wc -l <"$work/read.txt") settings"
}

manual_is_well_formed()
{
    local page
    for page in "$man"/* "$source"/tui/man/*; do
        mandoc -T lint -W warning "$page" >"$work/mandoc.txt" || fail "$(<"$work/mandoc.txt")"
        [[ -n $(groff -mandoc -Tutf8 -ww "$page" 2>"$work/groff.txt") && ! -s $work/groff.txt ]] || fail "$(<"$work/groff.txt")"
    done
}

# The three services differ in names alone.
units_are_one()
{
    local unit
    for unit in decision decision@; do
        sed -e "s/bookflow-decision-%i/bookflow-intake/; s/decision-%i/intake/; s/decision/intake/g; s/ %i$//; /EnvironmentFile=-/d" \
            -e '/^Requires=.*socket/d; s/ bookflow-intake.socket//' "$systemd/bookflow-$unit.service" >"$work/unit.txt"
        sed '/^Requires=.*socket/d; s/ bookflow-intake.socket//' "$systemd/bookflow-intake.service" | diff - "$work/unit.txt" >&2 ||
            fail "bookflow-$unit.service is as bookflow-intake.service"
    done
    sed 's/decision/intake/g; s/3001/3000/' "$systemd/bookflow-decision.socket" | diff - "$systemd/bookflow-intake.socket" >&2 || fail 'the sockets are alike'
}

units_score()
{
    local unit
    for unit in intake decision decision@; do
        systemd-analyze security --offline=true --threshold=11 "$systemd/bookflow-$unit.service" >"$work/score.txt" 2>&1 ||
            fail "bookflow-$unit.service: $(tail -n 1 "$work/score.txt")"
    done
    # The guard can fail: without one of its directives a unit scores worse.
    sed '/^PrivateUsers/d; /^SystemCallFilter/d' "$systemd/bookflow-intake.service" >"$work/bookflow-soft.service"
    ! systemd-analyze security --offline=true --threshold=11 "$work/bookflow-soft.service" >/dev/null 2>&1 || fail 'a softer unit is found'
    ok 'systemd-analyze security: 1.1 or better'
}

# verified FOLDER: what verify says of the units there is in $found.
verified()
{
    found=$(systemd-analyze verify --root="$1" bookflow-intake.service bookflow-decision.service bookflow-decision@a.service 2>&1 |
        grep -v "Unit [a-z-]*\.target not found\|Command 'man " || true)
}

# The package as lintian and a machine without it see it.
package_is_clean()
{
    local found
    cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/package" >"$work/cpack.txt" 2>&1 || fail "cpack: $(tail -n 5 "$work/cpack.txt")"
    found=$(lintian --allow-root --fail-on error --tag-display-limit 0 "$work/package"/*.deb 2>&1) || fail "lintian: $found"
    dpkg -x "$work/package"/*.deb "$work/installed"
    for program in bookflow bookflow-console; do
        hardening-check --nocfprotection "$work/installed/usr/bin/$program" >"$work/hard.txt" || fail "$(<"$work/hard.txt")"
        grep -c ': yes' "$work/hard.txt" | grep -qx 5 || fail "$program: $(<"$work/hard.txt")"
    done
    figure S3 ok 'hardening-check on both programs: PIE, stack protector, FORTIFY, RELRO, immediate binding'
    # Without a whole machine around it, verify misses targets and the manual's index; boot.sh asks it on one.
    verified "$work/installed"
    same 'systemd-analyze verify' '' "$found"
    sed -i 's/^PrivateUsers=/PrivateUser=/' "$work/installed/usr/lib/systemd/system/bookflow-intake.service"
    verified "$work/installed"
    [[ -n $found ]] || fail 'a misspelt directive is found'
    figure O13 ok "lintian: 0 errors; manual: well-formed, every verb, setting and message is in it; $(find "$work/installed" -type f | wc -l) files"
}

# Debian's flags of the build itself: what hardening-check cannot see.
flags_are_set()
{
    local flag
    for flag in -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero -Werror=format-security; do
        jq -e --arg flag " $flag " 'map(select(.file | test("/(workers|store|tui)/"))) | length > 100 and all(.command | contains($flag))' "$build/compile_commands.json" >/dev/null || fail "everything is compiled with $flag"
    done
}

metrics_are_sound()
{
    local promtool rules
    promtool=$(tool prometheus usr/bin/promtool) || { figure O7 SKIPPED "no promtool: $(tool_missing)" && return; }
    start_worker all all
    make_slots all salon s 3
    book all s-1 u
    until_true 10 'it is counted' reaches all /ready .
    get "${url[all]}/metrics"
    "$promtool" check metrics <<<"$body" >"$work/promtool.txt" 2>&1 || fail "promtool check metrics: $(<"$work/promtool.txt")"
    same 'promtool has nothing to say' '' "$(<"$work/promtool.txt")"
    rules=$("$promtool" check rules "$systemd/bookflow-alerts.yml") || fail "promtool check rules: $rules"
    "$promtool" test rules "$here/alerts_test.yml" >"$work/promtool.txt" 2>&1 || fail "promtool test rules: $(<"$work/promtool.txt")"
    # What alerts and dashboard ask for is there to be asked for.
    grep -ohE 'bookflow_[a-z_]+' "$systemd/bookflow-alerts.yml" "$systemd/bookflow-dashboard.json" | grep -v 'bookflow_dashboard' | sort -u >"$work/asked.txt"
    sed -n 's/^\(bookflow_[a-z_]*\).*/\1/p' <<<"$body" | sort -u >"$work/there.txt"
    same 'alerts and dashboard ask for what is there' '' "$(comm -23 "$work/asked.txt" "$work/there.txt")"
    jq -e '[.panels[] | select(.type != "row") | .targets[].expr] | length >= 10' "$systemd/bookflow-dashboard.json" >/dev/null || fail 'the dashboard has its panels'
    stop_worker all
    figure O7 ok "promtool finds nothing; $(wc -l <"$work/there.txt") series names; ${rules##*: }; the dashboard asks for what is there"
}

messages_are_in_the_manual
verbs_are_in_the_manual
settings_are_in_the_manual
manual_is_well_formed
units_are_one
units_score
metrics_are_sound
if [[ $(sed -n 's/^CMAKE_BUILD_TYPE:.*=//p' "$build/CMakeCache.txt") == Release ]]; then
    flags_are_set
    package_is_clean
fi
finish
