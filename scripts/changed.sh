#!/bin/bash
# changed.sh PATTERN...   files that match and differ from $BASE, uncommitted and new ones included.
# By default from where this branch left the main branch, on the main branch itself from the last
# commit's parent; all that match where there is nothing to compare with.
set -euo pipefail
cd "$(dirname "$0")/.."
base=${BASE:-$(git merge-base HEAD origin/main 2>/dev/null || true)}
if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
  base=HEAD~1
fi
if git rev-parse -q --verify "$base" >/dev/null; then
  git diff --name-only --diff-filter=d "$base" -- "$@"
  git ls-files --others --exclude-standard -- "$@"
else
  git ls-files -- "$@"
fi
