#!/usr/bin/env bash
# Builds what `./run bench` measures, gets the other clients from npm, and measures: see bench.py.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$PWD/build/release out=$PWD/build/bench
mkdir -p "$out"
{ cmake --preset release && cmake --build --preset release --target bookflow bench_load bench_bare bench_limits; } \
    >"$out/build.log" 2>&1 || { tail -n 40 "$out/build.log" >&2 && exit 1; }
node=$(tests/sqs/peers.sh "$build")
exec python3 -B tests/bench/bench.py "$build" "$out" "$node" "$@"
