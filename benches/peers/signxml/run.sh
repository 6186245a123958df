#!/usr/bin/env bash
# The verdict beside signxml, which verifies the signature of the same response and nothing more. Needs Python 3.
set -euo pipefail
cd "$(dirname "$0")"
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet signxml
"$environment/bin/python" verify.py
