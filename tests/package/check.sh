#!/usr/bin/env bash
# check.sh find_package|add_subdirectory BUILD COMPILER: builds a consumer of
# hotplate (as configured in BUILD) under BUILD/package, and runs it.
set -euo pipefail
how=$1 build=$2 compiler=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$build/package/$how

# Anew each time, so that a header no longer installed is missed here too.
rm -rf "$work/prefix"
if [[ $how == find_package ]]; then
  cmake --install "$build" --prefix "$work/prefix"
  gdb -q -nx -batch -ex "source $work/prefix/share/hotplate/gdb/hotplate_gdb.py" \
    -ex "python stacks.UNWINDER"
fi

# Without nlohmann_json: only hotplate::json may need it.
cmake -S "$here/$how" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
cmake --build "$work"

printed=$("$work/host")
echo "printed: $printed"
[[ $printed == 42 ]]
