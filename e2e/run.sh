#!/bin/sh
# Runs the browser tests against real clusters: e2e/run.sh [PLAYWRIGHT ARGUMENTS]
#   RAMPART_BIN       the binary to test (default: target/debug/rampart)
#   RAMPART_CHROMIUM  the browser (default: /usr/bin/chromium)
set -eu
[ -z "${RAMPART_BIN:-}" ] || export RAMPART_BIN="$(realpath "$RAMPART_BIN")"
cd "$(dirname "$0")"

# Two runs would empty each other's test-results.
exec 9<.
flock --nonblock 9 || {
    echo "Another run of these tests goes on in this folder; waiting until it ends." >&2
    flock 9
}

testcluster/build.sh
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "Installing the packages for the browser tests with npm (a few seconds)." >&2
    npm ci --no-audit --no-fund
fi

# Everything temporary, the browser's too, goes with this folder. It is short because there will be sockets in it.
TMPDIR=$(mktemp -d /tmp/rampart-e2e.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# Ctrl-C reaches Playwright by itself and a SIGTERM is passed on; either way it cleans up first.
./in-namespace.sh node_modules/.bin/playwright test "$@" &
tests=$!
trap : INT
trap 'kill -INT "$tests"' TERM
status=0
wait "$tests" || status=$?
while kill -0 "$tests" 2>/dev/null; do
    status=0
    wait "$tests" || status=$?
done
exit "$status"
