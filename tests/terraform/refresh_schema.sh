#!/usr/bin/env bash
# Makes schema.json anew out of the published bindings of the AWS provider: 476 MB unpacked, so no test
# does it. Another version of the bindings: change it here.
#
#   refresh_schema.sh
set -euo pipefail
shopt -s inherit_errexit

package=@cdktn/provider-aws@25.7.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/bookflow-schema.XXXXXX")
trap 'rm -rf "$work"' EXIT

npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --legacy-peer-deps --no-save "$package"
node "$here/extract_schema.mjs" "$work/node_modules/${package%@*}" >"$work/schema.json"
mv "$work/schema.json" "$here/schema.json"
