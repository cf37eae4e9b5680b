#!/bin/bash
# clang-tidy on the changed sources. It reads no precompiled header of another compiler's, so it
# gets a compile database of its own that includes that header as text. Needs a configured build/.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/lint
sed -E "s#-include [^ ]*/cmake_pch\.hxx#-include $PWD/cmake/precompiled.h#" \
  build/compile_commands.json > build/lint/compile_commands.json
scripts/changed.sh 'crrm/*.cpp' 'tests/*.cpp' ':!tests/install' |
  xargs -r -n 1 -P 2 clang-tidy -p build/lint --quiet
