#!/usr/bin/env bash
# Kills backups, restores and upgrades at ever other moments: a minute of each, or for as long as SIDELIGHT_CRASH_SECONDS says,
# which may be hours.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SIDELIGHT_CRASH_SECONDS="${SIDELIGHT_CRASH_SECONDS:-60}"
"${CARGO:-cargo}" test --locked --test backup killed
