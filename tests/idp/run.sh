#!/usr/bin/env bash
# Real identity providers that nobody here wrote, against the running server: SimpleSAMLphp (Debian) in a real
# browser, pysaml2 (PyPI) and samlify (npm). Installs what is missing, and stops what it starts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${SIDELIGHT_BINARY:?the sidelight binary to test}
missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v php >/dev/null || missing+=(php-cli php-xml)
[ -d /usr/share/simplesamlphp ] || missing+=(simplesamlphp)
command -v xmlsec1 >/dev/null || missing+=(xmlsec1)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi
work=$(mktemp -d)
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT
cp "$here/package.json" "$here"/*.mjs "$here"/*.py "$work/"
(cd "$work" && npm install --silent --no-audit --no-fund)
python3 -m venv "$work/python" && "$work/python/bin/pip" install --quiet pysaml2

# One pair of keys for each side of a rotation.
for name in one two; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Test identity provider, key $name" \
        -keyout "$work/$name.key" -out "$work/$name.crt" 2>/dev/null
done

"$binary" serve --lab --listen 127.0.0.1:0 --data "$work/data" --ready-file "$work/ready" 2>"$work/log" &
pids+=($!)
for _ in $(seq 100); do [ -f "$work/ready" ] && break; sleep 0.1; done
export SIDELIGHT_URL SIDELIGHT_DATA="$work/data" SIDELIGHT_BINARY="$binary" WORK="$work"
SIDELIGHT_URL=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["url"])' "$work/ready")

cd "$work"
echo "-- pysaml2";  "$work/python/bin/python" pysaml2_idp.py
echo "-- samlify";  NODE_TLS_REJECT_UNAUTHORIZED=0 NODE_NO_WARNINGS=1 node samlify_idp.mjs

echo "-- SimpleSAMLphp, in Chromium"
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
export SSP_URL="http://127.0.0.1:$port/" SSP="$work/ssp" SIMPLESAMLPHP_CONFIG_DIR="$work/ssp/config"
mkdir -p "$SSP"/{config,metadata,cert,log,tmp,sessions}
cp "$work"/{one,two}.{key,crt} "$SSP/cert/"
cp "$here"/simplesamlphp/{config,authsources}.php "$SSP/config/"
cp "$here"/simplesamlphp/saml20-*.php "$SSP/metadata/"
php -d session.save_path="$SSP/sessions" -S "127.0.0.1:$port" -t /usr/share/simplesamlphp/www >"$work/php.log" 2>&1 &
pids+=($!)
BROWSER=$(command -v chromium) node simplesamlphp.mjs || { tail -20 "$work/php.log"; exit 1; }
