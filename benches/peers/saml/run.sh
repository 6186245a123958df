#!/usr/bin/env bash
# The verdict against samael and signxml. Needs libxmlsec1-dev, libclang-dev, libssl-dev and python3-venv.
set -euo pipefail
cd "$(dirname "$0")"
cargo run --release --locked --quiet
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet signxml
"$environment/bin/python" signxml_verify.py
