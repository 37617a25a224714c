#!/usr/bin/env bash
# The one list of Debian packages that building and testing need, and the one
# function that installs what is missing. Sourced by run.sh and bench/demo.sh;
# run by itself, it installs.

HOTPLATE_PACKAGES=(
  # compilers and tools
  g++ clang libclang-rt-dev cmake ninja-build pkg-config git python3
  clang-format clang-tidy valgrind gdb
  # the library
  libboost-dev libboost-context-dev libfmt-dev libconcurrentqueue-dev
  nlohmann-json3-dev
  # tests, benchmarks, demo
  libgtest-dev libgmock-dev libbenchmark-dev libcli11-dev zlib1g-dev
  libpng-dev python3-matplotlib
  # what tests/compile_cost and bench/compare compare with
  libboost-fiber-dev libtbb-dev
)

# Prints the packages of the list that are not installed. One may be installed
# for several architectures: " installed installed".
missing_packages() {
  local package
  for package in "${HOTPLATE_PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f ' ${db:Status-Status}' "$package" 2>/dev/null) \
      == *" installed"* ]] || echo "$package"
  done
}

# Never removes a package. All output goes to stderr.
install_packages() {
  local missing reason as_root=(env)
  [[ -z ${HOTPLATE_NO_INSTALL:-} ]] || return 0
  if ! type apt-get dpkg-query &>/dev/null; then
    missing=("${HOTPLATE_PACKAGES[@]}")
    reason="this system has no apt"
  else
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} > 0)) || return 0
    ((EUID == 0)) || as_root=(sudo env)
    if ! type "${as_root[0]}" &>/dev/null; then
      reason="this needs root or sudo"
    elif apt_install "${missing[@]}"; then
      return 0
    else
      reason="it failed, see above"
    fi
  fi
  echo "hotplate: cannot install packages ($reason). Please install these" \
    "(Debian 12 names): ${missing[*]}" >&2
  echo "If you have them from elsewhere, set HOTPLATE_NO_INSTALL=1." >&2
  return 1
}

# Package lists are refreshed only when installing without that failed.
apt_install() {
  local apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -y)
  local install=(install --no-install-recommends --no-remove "$@")
  echo "Installing: $*" >&2
  "${apt[@]}" "${install[@]}" >&2 ||
    { "${apt[@]}" update >&2 && "${apt[@]}" "${install[@]}" >&2; }
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  install_packages
fi
