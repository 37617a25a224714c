#!/usr/bin/env bash
# Installs what is missing, builds the demo, and runs it with the arguments
# given. Only the demo itself writes to stdout: --json leaves nothing else.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# shellcheck source=tests/packages.sh
source "$root/tests/packages.sh"
install_packages

# cmake --preset looks for presets where it stands; the demo's own arguments
# are paths from where the user stands.
(
  cd "$root"
  cmake --preset release
  cmake --build --preset release --target hotplate-demo
) >&2

exec "$root/build/release/bench/demo/hotplate-demo" "$@"
