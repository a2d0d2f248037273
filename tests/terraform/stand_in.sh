# How a test in bash has a Terraform that knows the AWS provider without downloading it; see
# stand_in.mjs. Sourced behind lib.sh. Where there is no Terraform, says so and ends the test.
# shellcheck shell=bash disable=SC2034,SC2154

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=$(cd "$here/../../terraform" && pwd)
least=1.11 # the tests decide what a plan knows: override_during

skip_without_terraform()
{
    local found
    if ! command -v terraform >/dev/null; then
        echo 'SKIPPED: there is no terraform in the PATH; what is checked without it: nothing of the module'
        exit 0
    fi
    found=$(terraform version -json | jq -r .terraform_version)
    [[ $(printf '%s\n' "$least" "$found" | sort -V | head -n 1) == "$least" ]] || {
        echo "SKIPPED: terraform is $found, the module's tests need $least"
        exit 0
    }
}

# Nothing of the machine's own configuration, no call home.
unset "${!TF_@}"
export TF_CLI_CONFIG_FILE=$work/terraformrc TF_IN_AUTOMATION=1 TF_INPUT=0 CHECKPOINT_DISABLE=1
: >"$TF_CLI_CONFIG_FILE"
skip_without_terraform

# Sets $node and $scripts, a folder where they find their packages. The stand-in ends with this shell,
# which holds the other end of its standard input.
start_stand_in()
{
    local hold
    node=$("$here/../sqs/peers.sh" "$build")
    scripts=$work/scripts
    mkdir "$scripts"
    cp "$here"/*.mjs "$here/provider.proto" "$here/schema.json" "$scripts"
    ln -s "$(realpath "$build/../sqs-peers/node_modules")" "$scripts/node_modules"
    mkfifo "$work/stdin"
    exec {hold}<>"$work/stdin"
    "$node" --no-warnings "$scripts/stand_in.mjs" "$work/socket" <"$work/stdin" >"$work/reattach" 2>"$work/stand_in.log" {hold}>&- &
    helpers+=($!)
    until_true 30 'the stand-in listens' test -s "$work/reattach"
    TF_REATTACH_PROVIDERS=$(<"$work/reattach")
    export TF_REATTACH_PROVIDERS
}

# A copy of the module to work in: its own folder stays as it is.
copy_module()
{
    mkdir -p "$1"
    cp -r "$module/." "$1"
}

# terraform_in FOLDER ARGUMENT...: silent, unless it fails.
terraform_in()
{
    terraform -chdir="$1" "${@:2}" -no-color >"$work/said.txt" 2>&1 || fail "terraform ${*:2} in $1: $(<"$work/said.txt")"
}
