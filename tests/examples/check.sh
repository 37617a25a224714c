#!/usr/bin/env bash
# check.sh PROGRAM EXPECTED: runs PROGRAM; its output must be what the file
# EXPECTED holds, if there is such a file.
set -euo pipefail
program=$1 expected=$2

printed=$("$program")
[[ ! -e $expected ]] || diff -u "$expected" <(printf '%s\n' "$printed")
