#!/bin/bash
# Halves the multiply-accumulates of a small digit classifier. Needs build/crrm (make build).
set -euo pipefail
cd "$(dirname "$0")/.."
command=(build/crrm compress demo/digits.onnx --data demo/digits.csv.gz --macs 50%
         -o build/demo-crrm --force)
echo "\$ ${command[*]}"
"${command[@]}"
echo
echo "The small model is build/demo-crrm/model.onnx; the report, for any browser:"
echo "  $PWD/build/demo-crrm/report.html"
