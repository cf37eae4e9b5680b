#!/bin/bash
# changed.sh PATTERN...   files that match and differ from the last commit's parent, uncommitted
# changes included; all that match where that commit has no parent here.
set -euo pipefail
cd "$(dirname "$0")/.."
if git rev-parse -q --verify HEAD~1 >/dev/null; then
  git diff --name-only --diff-filter=d HEAD~1 -- "$@"
else
  git ls-files -- "$@"
fi
