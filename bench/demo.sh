#!/usr/bin/env bash
# Installs what is missing, builds the demo, and runs it with the arguments
# given. Only the demo itself writes to stdout: --json leaves nothing else.
set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# shellcheck source=tests/packages.sh
source "$root/tests/packages.sh"
install_packages

# A build configures itself again when a CMakeLists.txt changes. It does not
# know of the presets, nor that it was moved or copied with the checkout.
is_configured() {
  [[ build/release/build.ninja -nt CMakePresets.json ]] &&
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" build/release/CMakeCache.txt
}

# cmake --preset looks for presets where it stands; the demo's own arguments
# are paths from where the user stands.
(
  cd "$root"
  is_configured || cmake --fresh --preset release
  cmake --build --preset release --target hotplate-demo
) >&2

exec "$root/build/release/bench/demo/hotplate-demo" "$@"
