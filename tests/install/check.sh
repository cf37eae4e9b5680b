#!/bin/bash
# check.sh BUILD   installs BUILD into a new folder, builds the project beside this file against it
# and runs the result and the installed program.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
build=$1
work=$(mktemp -d "$build/install-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/build"
[ "$("$work/build/consumer")" = "40.8 M of [2, 3]" ]
"$work/prefix/bin/crrm" --help >/dev/null
