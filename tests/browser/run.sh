#!/usr/bin/env bash
# The console in a real browser, without scripts, by keyboard, on a phone, in the dark. Installs Debian's
# Chromium and two npm packages when they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${SIDELIGHT_BINARY:?the sidelight binary to test}
browser=$(command -v chromium || true)
if [ -z "$browser" ]; then
    if [ "$(id -u)" -eq 0 ]; then apt-get install -qq -y chromium; else sudo apt-get install -qq -y chromium; fi
    browser=$(command -v chromium)
fi
work=$(mktemp -d)
server=
stop() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap stop EXIT
cp "$here/package.json" "$here"/*.mjs "$work/"
(cd "$work" && npm install --silent --no-audit --no-fund)

"$binary" serve --lab --plain-http --listen 127.0.0.1:0 --data "$work/data" --ready-file "$work/ready" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    if [ -f "$work/ready" ] && grep -q 'console/claim?token=' "$work/log"; then break; fi
    kill -0 "$server" || { cat "$work/log"; exit 1; }
    sleep 0.1
done
claim=$(grep -o 'http[^ ]*console/claim?token=[^ ]*' "$work/log")
cd "$work"
BROWSER="$browser" CLAIM="$claim" node walk.mjs
