#!/usr/bin/env bash
# Runs every check of the project; see usage() below.
# shellcheck disable=SC2317  # stages are called by name, as stage_NAME
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
source tests/packages.sh

ALL=(format style tidy release release-clang asan tsan package headers
  instructions compile_cost bench)
QUICK=(format style release)
LIMIT_SECONDS=$((40 * 60))  # on two cores; beyond it nobody waits for a check
JOBS=$(nproc)

usage() {
  cat <<TEXT
tests/run.sh            all checks, one after the other
tests/run.sh --quick    ${QUICK[*]}
tests/run.sh STAGE...   only these, of:

  format         clang-format has nothing to change
  style          includes, README blocks, file sizes, header list
  tidy           clang-tidy
  release        tests, g++ -O3
  release-clang  tests, clang++ -O3
  asan           tests, clang++ with address and undefined behaviour sanitizer
  tsan           tests, clang++ with thread sanitizer
  package        hosts that use the installed package or add_subdirectory
  headers        each header compiles alone
  instructions   instructions per warm invocation, against committed figures
  compile_cost   what including hotplate costs, beside its peers
  bench          each benchmark runs, and gives the figures of the targets

Missing packages are installed first. Builds are kept under build/<preset>.
TEXT
}

# Not --dry-run: clang-format 14 objects to a namespace's closing comment
# that it would replace by itself.
stage_format() {
  local file differ=0
  while read -r file; do
    clang-format "$file" | diff -u --label "$file" --label formatted "$file" - ||
      differ=1
  done < <(find include lib bench tests -name '*.[ch]pp')
  return "$differ"
}

stage_style() {
  python3 tests/style/check_test.py
  python3 tests/style/check.py
}

stage_tidy() { build tidy; }
stage_release() { build_and_test release; }
stage_release-clang() { build_and_test release-clang; }
stage_asan() { build_and_test asan; }

# TSan needs memory where kernels with vm.mmap_rnd_bits over 28 may not put it.
stage_tsan() {
  build_and_test tsan "$(setarch -R true 2>/dev/null && echo setarch -R)"
}

stage_package() { both_compilers labelled package; }
stage_instructions() { both_compilers labelled instructions; }
stage_compile_cost() { labelled compile_cost release; }
stage_bench() { bench/run.sh --quick; }

stage_headers() { both_compilers verify_headers; }
verify_headers() { build "$1" --target all_verify_interface_header_sets; }

both_compilers() {
  "$@" release
  "$@" release-clang
}

# build PRESET [cmake --build options...]
build() {
  cmake --preset "$1"
  cmake --build --preset "$1" --parallel "$JOBS" "${@:2}"
}

# build_and_test PRESET [launcher]: all tests without a stage of their own.
build_and_test() {
  build "$1"
  # shellcheck disable=SC2086  # a launcher is words, or nothing
  ${2:-} ctest --preset "$1" --parallel "$JOBS" \
    --label-exclude '^(style|package|instructions|compile_cost)$'
}

# labelled LABEL PRESET: the tests of that label, with what they print.
labelled() {
  build "$2"
  ctest --test-dir "build/$2" --no-tests=error --verbose \
    --label-regex "^$1\$"
}

# Sets failed; adds a line to report.
run_stage() {
  local started=$SECONDS status=0 outcome=ok
  printf '\n=== %s\n' "$1"
  # Not in an if or a list, where set -e would be off inside.
  set +e
  (set -e && "stage_$1")
  status=$?
  set -e
  ((status == 0)) || outcome=FAILED failed=1
  report+=$(printf '%-15s%5d s  %s' "$1" $((SECONDS - started)) "$outcome")$'\n'
}

main() {
  local stage stages=("${ALL[@]}") report='' failed=0
  case ${1:-} in
    -h | --help) usage && exit ;;
    --quick) stages=("${QUICK[@]}") ;;
    ?*) stages=("$@") ;;
  esac
  for stage in "${stages[@]}"; do
    [[ " ${ALL[*]} " == *" $stage "* ]] ||
      { echo "run.sh: no stage $stage; see --help" >&2 && exit 2; }
  done

  install_packages
  for stage in "${stages[@]}"; do
    run_stage "$stage"
  done

  printf '\n%s%-15s%5d s\n' "$report" total "$SECONDS"
  if ((SECONDS > LIMIT_SECONDS)); then
    echo "over $((LIMIT_SECONDS / 60)) minutes" && failed=1
  fi
  exit "$failed"
}

main "$@"
