#!/bin/bash
# mutation_test.sh [NAME...]   tests the test of random networks: each of
# tests/properties/mutations/NAME.patch breaks one rule of coupling, and test_properties has to fall
# over it. Ends with 1 where a broken rule goes unnoticed. Needs build/test_properties; the tree
# stays as it is: only the file that is patched is compiled again, and linked with the rest.
set -euo pipefail
cd "$(dirname "$0")/.."
seed=1
networks=2000  # at most
names=("$@")
if [ ${#names[@]} = 0 ]; then
  for patch in tests/properties/mutations/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
mapfile -t commands < <(ninja -C build -t commands test_properties)

# build_mutant PATCH FOLDER   a test_properties in FOLDER, with the patched file in it
build_mutant() {
  local file source object compile link mutant=$PWD/$2
  file=$(sed -n 's|^+++ b/||p' "$1")
  source=$PWD/$file
  patch --silent --output="$mutant/mutant.cpp" "$file" "$1"
  compile=$(printf '%s\n' "${commands[@]}" | grep -F -- "-c $source")
  object=$(sed 's/.* -o \([^ ]*\) .*/\1/' <<<"$compile")
  compile=${compile//$object/$mutant/mutant.o}
  compile=${compile/-c $source/-c $mutant/mutant.cpp}
  link=${commands[-1]/$object/$mutant/mutant.o}
  link=${link/-o test_properties/-o $mutant/test_properties}
  (cd build && eval "$compile" && eval "$link")
}

unnoticed=0
printf '%-18s %-34s %s\n' mutation found "again with"
for name in "${names[@]}"; do
  folder=build/mutations/$name
  mkdir -p "$folder"
  build_mutant "tests/properties/mutations/$name.patch" "$folder"
  RC_PARAMS="seed=$seed max_success=$networks" \
    "$folder/test_properties" --gtest_filter='Properties.*' >"$folder/log" 2>&1 || true
  found=$(sed -n '/^Falsifiable after/{s/Falsifiable //p;q}' "$folder/log")
  [ -n "$found" ] || { found="NOT FOUND ($folder/log)"; unnoticed=1; }
  printf '%-18s %-34s %s\n' "$name" "$found" "RC_PARAMS=seed=$seed $folder/test_properties"
done
exit $unnoticed
