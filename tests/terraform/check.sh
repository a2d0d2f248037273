#!/usr/bin/env bash
# The Terraform module, offline: form, rules, tests, planted faults, examples.
#
#   check.sh BUILD_FOLDER             checks
#   check.sh BUILD_FOLDER tables      writes the tables of the module's README
#
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
# shellcheck source=tests/terraform/stand_in.sh
source "$(dirname "${BASH_SOURCE[0]}")/stand_in.sh"

runs_least=25 mutants_least=15

has_its_form()
{
    terraform fmt -check -recursive -diff "$module" >"$work/fmt.txt" || fail "terraform fmt: $(<"$work/fmt.txt")"
    copy_module "$work/module"
    terraform_in "$work/module" validate
    ok 'formatted, and valid by the schema of the provider'
}

# misspelt SED_EXPRESSION TEXT: the stand-in's schema finds what the provider's would.
misspelt()
{
    copy_module "$work/misspelt"
    sed -i "$1" "$work/misspelt/main.tf"
    ! terraform -chdir="$work/misspelt" validate -no-color >"$work/misspelt.txt" 2>&1 || fail "$1 is refused"
    grep -q "$2" "$work/misspelt.txt" || fail "$1: $(<"$work/misspelt.txt")"
    rm -r "$work/misspelt"
}

the_schema_is_looked_at()
{
    misspelt 's/delay_seconds  /delay_second  /' 'Did you mean'
    misspelt 's/= var.fifo$/= "often"/' 'a bool is required'
    misspelt 's/^  redrive_allow_policy = /  policy = /' 'redrive_allow_policy" is required'
    ok 'control: a misspelt attribute, a wrong type and a missing attribute are refused'
}

follows_the_rules()
{
    "$node" "$scripts/tables.mjs" "$module" >"$work/tables.txt" || fail "$(<"$work/tables.txt")"
    ok "T7: typed, described and used; the tables of the README are current: $(<"$work/tables.txt")"
}

# tested FOLDER: the lines of `terraform test -json`.
tested()
{
    terraform -chdir="$1" test -json || true
}

# passed ID FILE: how many runs.
passed()
{
    ok "$1: $(jq -s --arg file "tests/$2.tftest.hcl" 'map(select(.type == "test_run" and .["@testfile"] == $file
        and .test_run.status == "pass")) | length' "$work/tests.json") runs of $2 pass"
}

passes_its_tests()
{
    local summary began
    began=$(now_ms)
    tested "$work/module" >"$work/tests.json"
    summary=$(jq -c 'select(.type == "test_summary").test_summary' "$work/tests.json")
    jq -e --argjson least $runs_least '.status == "pass" and .passed >= $least and .failed + .errored + .skipped == 0' <<<"$summary" >/dev/null ||
        fail "terraform test: $(jq -r 'select(.diagnostic) | "\(.["@testrun"]): \(.diagnostic.detail)"' "$work/tests.json")"
    passed T1 queues
    passed T2 iam
    passed T3 alarms
    passed T4 options
    ok "T6: with each edge of each limit $(jq .passed <<<"$summary") runs pass, in $(($(now_ms) - began)) ms"
}

# --- Planted faults. Each patch names the file and the run that must fail of it. A failure that was
# expected and does not come is called an error.

# only_run FILE RUN: the test file with one run.
only_run()
{
    awk -v begin="run \"$2\" {" '/^run / { inside = $0 == begin; headed = 1 } !headed || inside' "$1"
}

# Says what is wrong, if anything.
caught()
{
    local name=$1 copy=$work/mutants/$1 file run status
    read -r file run < <(sed -n 's/^caught by //p' "$here/mutants/$name.patch")
    copy_module "$copy"
    patch --silent --forward --fuzz=0 --strip=1 --directory="$copy" <"$here/mutants/$name.patch" || {
        echo "$name does not apply"
        return
    }
    rm "$copy"/tests/*.tftest.hcl
    only_run "$module/tests/$file.tftest.hcl" "$run" >"$copy/tests/only.tftest.hcl"
    status=$(tested "$copy" | jq -r 'select(.type == "test_run" and .test_run.progress == "complete").test_run.status')
    [[ $status == fail || $status == error ]] || echo "$name is not caught by $file $run (${status:-no such run})"
    rm -r "$copy"
}

catches_planted_faults()
{
    local began missed
    local -a names
    began=$(now_ms)
    mapfile -t names < <(basename -s .patch -a "$here"/mutants/*.patch)
    export -f caught only_run tested copy_module
    export work here module
    missed=$(printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c 'caught {}')
    [[ -z $missed ]] || fail "$missed"
    ((${#names[@]} >= mutants_least)) || fail "$mutants_least faults are planted, not ${#names[@]}"
    ok "T6: ${#names[@]} planted faults are caught, in $(($(now_ms) - began)) ms"
}

# --- Examples

examples_plan()
{
    local name names=()
    for name in "$work"/module/examples/*; do
        terraform_in "$name" init -backend=false
        terraform_in "$name" validate
        terraform_in "$name" plan
        names+=("$(basename "$name")")
    done
    same 'examples' 'complete fifo kms local-endpoint' "${names[*]}"
    ok "T8: ${#names[@]} examples are valid and have a plan: ${names[*]}"
}

start_stand_in
if [[ ${2-} == tables ]]; then
    "$node" "$scripts/tables.mjs" "$module" write
    exit
fi
has_its_form
the_schema_is_looked_at
follows_the_rules
passes_its_tests
catches_planted_faults
examples_plan
finish
