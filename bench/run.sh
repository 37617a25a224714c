#!/usr/bin/env bash
# Installs what is missing, builds the benchmarks, and runs them; see
# bench/measure.py, to which the arguments go. Only that writes to stdout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case " $* " in *' --help '* | *' -h '*) exec python3 bench/measure.py --help ;; esac
python3 bench/measure.py --check "$@"

# shellcheck source=tests/packages.sh
source tests/packages.sh
install_packages
(
  cmake --preset release
  cmake --build --preset release --target hotplate-bench
) >&2

exec python3 bench/measure.py "$@"
