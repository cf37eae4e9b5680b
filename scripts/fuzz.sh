#!/bin/bash
# fuzz.sh SECONDS [TARGET...]   runs fuzz targets, all by default, for that long each: first on the
# files of fuzz/corpus, then on what libFuzzer makes of them (0 seconds: on those files alone). Ends
# with 1 at the first finding, and names its file. Needs build-fuzz (ninja -C build-fuzz fuzz);
# inputs that reached new code are kept there, so that the next run goes on from them.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?seconds for each target}
shift
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for corpus in fuzz/corpus/*/; do targets+=("$(basename "$corpus")"); done
fi
export TMPDIR=/dev/shm  # every input is written to a file
export UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0
mkdir -p build-fuzz/findings
for target in "${targets[@]}"; do
  found=build-fuzz/corpus/$target log=build-fuzz/$target.log
  mkdir -p "$found"
  options=(-max_total_time="$seconds" -max_len=65536 -timeout=60 -rss_limit_mb=4096
           -artifact_prefix="build-fuzz/findings/$target-")
  [ "$seconds" = 0 ] && options+=(-runs=0)
  [ -f "fuzz/$target.dict" ] && options+=(-dict="fuzz/$target.dict")
  if ! "build-fuzz/fuzz_$target" "${options[@]}" "$found" "fuzz/corpus/$target" >"$log" 2>&1; then
    tail -n 60 "$log"
    echo "fuzz: $target failed ($log)" >&2
    exit 1
  fi
  echo "$target: $(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 inputs in \2 s, nothing found/p' "$log")"
done
