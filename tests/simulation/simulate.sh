#!/usr/bin/env bash
# The simulation and its controls: simulate.sh [BUILD], a configured build folder, build/release
# unless told. First the worlds that must all be right, then each planted bug, which must not pass:
# plants/NAME.patch says what is planted, two of them run at a time.
set -euo pipefail
shopt -s inherit_errexit

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source-path=SCRIPTDIR/../..
source tests/prove/figure.sh
build=${1-build/release}
programs=$build/tests/simulation
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch

limit_s=10  # for each plant
worlds=4000 # more than anyone lives through in that time

# plant NAME COMMAND...: notes in how many seconds and worlds it was caught, and how.
plant()
{
    local name=$1 began=$EPOCHREALTIME
    shift
    timeout "$limit_s" "$@" >"$scratch/$name.log" 2>&1 || true
    local ended=$EPOCHREALTIME
    awk -v name="$name" -v began="$began" -v ended="$ended" '
        /^violated: / { sub(/^violated: /, ""); split($0, part, / in world |, step /)
                        printf "%.1f %s: %s after %s worlds\n", ended - began, name, part[1], part[2] }
    ' "$scratch/$name.log" >"$scratch/$name.caught"
}

cmake --build "$build" --target simulation simulation_plants >"$scratch/build.log" ||
    { tail -n 40 "$scratch/build.log" && exit 1; }
"$programs/simulation" || figures_missed=1

names=(the_disk_lies)
plant the_disk_lies "$programs/simulation" 1 "$worlds" 1 lies &
for patch in tests/simulation/plants/*.patch; do
    name=$(basename "$patch" .patch)
    names+=("$name")
    [[ $(jobs -rp | wc -l) -lt 2 ]] || wait -n
    plant "$name" "$programs/simulation_$name" 1 "$worlds" 1 &
done
wait

mapfile -t caught < <(cat "$scratch"/*.caught | sort -rn)
mark=ok
((${#caught[@]} == ${#names[@]})) || mark=MISSED
figure R2 "$mark" "planted bugs: ${#caught[@]}/${#names[@]} caught, slowest ${caught[0]%% *} s ($(
    printf '%s; ' "${caught[@]#* }" | sed 's/; $//; s/_/ /g'
))"
for name in "${names[@]}"; do
    [[ -s $scratch/$name.caught ]] || { echo "not caught: $name" && tail -n 3 "$scratch/$name.log"; }
done
exit "$figures_missed"
