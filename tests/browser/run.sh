#!/usr/bin/env bash
# The console in a real browser, without scripts, by keyboard, on a phone, in the dark; and the sign-in page in frames
# of other sites. Installs Debian's Chromium and two npm packages when they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${SIDELIGHT_BINARY:?the sidelight binary to test}
browser=$(command -v chromium || true)
if [ -z "$browser" ]; then
    if [ "$(id -u)" -eq 0 ]; then apt-get install -qq -y chromium; else sudo apt-get install -qq -y chromium; fi
    browser=$(command -v chromium)
fi
work=$(mktemp -d)
servers=()
stop() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT
cp "$here/package.json" "$here"/*.mjs "$work/"
(cd "$work" && npm install --silent --no-audit --no-fund)

# Starts a lab by this name, with these flags, and waits until it says where its claim link is.
start() {
    local name=$1
    shift
    "$binary" serve --lab "$@" --listen 127.0.0.1:0 --data "$work/$name" --ready-file "$work/$name.ready" 2>"$work/$name.log" &
    servers+=("$!")
    for _ in $(seq 100); do
        if [ -f "$work/$name.ready" ] && grep -q 'console/claim?token=' "$work/$name.log"; then return; fi
        kill -0 "${servers[-1]}" || { cat "$work/$name.log"; exit 1; }
        sleep 0.1
    done
}

start walk --plain-http
start frames
claim=$(grep -o 'http[^ ]*console/claim?token=[^ ]*' "$work/walk.log")
cd "$work"
BROWSER="$browser" BINARY="$binary" DATA="$work/frames" READY="$work/frames.ready" node frames.mjs
digits=$(sha256sum walk/sidelight.key | cut -c1-16)
BROWSER="$browser" CLAIM="$claim" KEY_DIGITS="$digits" node walk.mjs
