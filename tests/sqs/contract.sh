#!/usr/bin/env bash
# The queue contract on SQS: starts the peer, runs the cases, all at once since they mostly wait.
#
#   contract.sh BUILD_FOLDER [CRITERION ARGUMENT...]
set -euo pipefail

build=$(cd "${1:?usage: contract.sh BUILD_FOLDER}" && pwd)
shift
# shellcheck source=tests/sqs/peer.sh
source "$(dirname "${BASH_SOURCE[0]}")/peer.sh"

start_peer ''
trap stop_peer EXIT
BOOKFLOW_TEST_SQS=$peer_control "$build/tests/sqs/test_sqs" --short-filename -j16 "$@"
