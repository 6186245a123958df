#!/usr/bin/env bash
# Whole sign-ins, durable, against what an integrator would otherwise run. A peer whose runtime is absent is passed over.
set -euo pipefail
cd "$(dirname "$0")"
peers=()

if pkg-config --exists xmlsec1 libxml-2.0 2>/dev/null \
    && log=$(cargo build --release --locked --quiet --manifest-path samael/Cargo.toml --bin service_provider 2>&1); then
    peers+=(samael)
else
    echo "samael: not measured, install libxmlsec1-dev, libxml2-dev, libclang-dev and pkg-config"
    [ -z "${log:-}" ] || tail -n 3 <<<"$log"
fi

environment=target/python3-saml
if log=$({ [ -d "$environment" ] || python3 -m venv "$environment"; } 2>&1 \
    && "$environment/bin/pip" install --quiet --requirement python3-saml/requirements.txt 2>&1); then
    peers+=(python3-saml)
else
    echo "python3-saml: not measured, install Python 3.11 or later with venv, and a network to reach PyPI"
    tail -n 3 <<<"$log"
fi

if log=$( (cd node-saml && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent; }) 2>&1 \
    && node -e 'require("./node-saml/node_modules/better-sqlite3")(":memory:")' 2>&1); then
    peers+=(node-saml express)
else
    echo "node-saml, express: not measured, install Node.js 20 or later with npm, and a network to reach its registry"
    tail -n 3 <<<"$log"
fi

if [ ${#peers[@]} -gt 0 ]; then
    cargo build --profile shipped --locked --quiet --bin sidelight --bin sign_in
    target/shipped/sign_in "${peers[@]}"
fi
