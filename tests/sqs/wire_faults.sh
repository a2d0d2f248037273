#!/usr/bin/env bash
# Faults on the wire: starts the peer, runs the proof with its planted bugs. PROVE_SIZE=ci: a third,
# another one by each SEED.
#
#   wire_faults.sh BUILD_FOLDER [SEED [--cell CALL FAULT]]
set -euo pipefail

build=$(cd "${1:?usage: wire_faults.sh BUILD_FOLDER [SEED]}" && pwd)
seed=${2:-$((RANDOM % 1000 * 1000))}
shift $(($# > 1 ? 2 : 1))
# shellcheck source=tests/sqs/peer.sh
source "$(dirname "${BASH_SOURCE[0]}")/peer.sh"

planted=("$build/tests/sqs/sqs_faults_failed_is_done:SendMessageBatch:partial"
    "$build/tests/sqs/sqs_faults_digest_not_looked_at:ReceiveMessage:garbled")
start_peer ''
trap stop_peer EXIT
printf 'seed %s\n' "$seed"
(($# > 0)) || set -- "${planted[@]}"
BOOKFLOW_TEST_SQS=$peer_control "$build/tests/sqs/sqs_faults" "$seed" "$@"
