#!/bin/bash
# setup.sh [PACKAGE...]   installs what building crrm needs, and these Debian packages too: the rest
# are Debian packages, and LibTorch, ONNX Runtime and ONNX's checker as wheels in .venv. Does nothing
# where all is there; writes nothing outside this folder but system packages.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(build-essential cmake ninja-build ccache mold pkg-config git python3-venv libcli11-dev
          nlohmann-json3-dev libprotozero-dev zlib1g-dev libssl-dev libturbojpeg0-dev libspng-dev
          libgtest-dev googletest libgmock-dev librapidcheck-dev libonnx-testdata libjs-chart.js
          "$@")
torch=2.13.0
onnxruntime=1.32.0
onnx=1.23.2

say() { echo "setup: $*" >&2; }

fail() {
  for line in "$@"; do say "$line"; done
  exit 1
}

missing_packages() {
  comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
           <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
             sed -n 's/ installed$//p' | sort)
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "this system has no apt; crrm is built on Debian 12, Ubuntu 24.04 or later" \
         "or run there what gives: ${packages[*]}"
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  local manual="apt-get install ${missing[*]}"
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    fail "${#missing[@]} packages are missing and this user has no sudo; run as root:" "  $manual"
  fi
  say "installing ${#missing[@]} Debian packages (a minute or two): ${missing[*]}"
  as_root apt-get -qq update >&2 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
      "${missing[@]}" >&2 ||
    fail "apt-get failed (its reason is above); once it works, run:" "  $manual"
}

find_python() {
  local python
  for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
    then
      echo "$python"
      return
    fi
  done
  fail "no Python 3.10 or later with venv was found; install one:" "  apt-get install python3-venv"
}

make_venv() {
  if [ -x .venv/bin/python3 ] && .venv/bin/python3 -c 'import pip' 2>/dev/null; then return; fi
  local python
  python=$(find_python)
  say "making .venv with $("$python" --version) (some seconds)"
  "$python" -m venv --clear .venv >&2
}

# A wheel's RECORD is written last, so an installation that was cut short has none.
has_wheel() {
  compgen -G ".venv/lib/python3*/site-packages/$1-$2*.dist-info/RECORD" >/dev/null
}

install_wheel() {
  has_wheel "$1" "$2" && return
  say "installing $1 $2 into .venv ($3)"
  .venv/bin/python3 -m pip --no-cache-dir --disable-pip-version-check install -q "$1==$2" >&2 ||
    fail "pip failed (its reason is above); once the network works, run:" \
         "  .venv/bin/python3 -m pip install $1==$2"
}

install_packages
make_venv
install_wheel torch "$torch" "LibTorch: minutes, and up to 5 GB of disk with its CUDA libraries"
install_wheel onnxruntime "$onnxruntime" "proves written models: some seconds, 20 MB"
install_wheel onnx "$onnx" "its checker tests written models: some seconds, 9 MB"
