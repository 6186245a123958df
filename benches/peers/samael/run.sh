#!/usr/bin/env bash
# The verdict beside samael's. Needs Debian's libxmlsec1-dev, libxml2-dev, libclang-dev and pkg-config; says so and
# passes on where they are missing.
set -euo pipefail
cd "$(dirname "$0")"
if ! pkg-config --exists xmlsec1 libxml-2.0; then
    echo "samael: not measured, install libxmlsec1-dev, libxml2-dev, libclang-dev and pkg-config"
    exit 0
fi
cargo run --release --locked --quiet --bin samael-peer
