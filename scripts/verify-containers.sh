#!/usr/bin/env bash
# Builds the images, starts docker-compose.yml under a project, ports and a password of its own, lets this machine join
# by the very line that `makima daemon enrol` prints, and runs one contract to its end.
# Why: that the files can be read proves nothing; a contract that completes through the published ports does.
# Law: containers, volumes, network, processes and files of it are gone at its end, whatever happened.
# Usage: scripts/verify-containers.sh          with Docker and its compose plugin; else as root with podman, which then
# runs on stand-ins for the official images (scripts/stand-in-images.sh). A few minutes, not part of CI.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
work=$(mktemp -d "${TMPDIR:-/tmp}/makima-containers.XXXXXX")
project=makima-verify-$$
services="api daemon-gateway scheduler restorer"
# shellcheck source=scripts/stand-in-images.sh
. scripts/stand-in-images.sh

fail() { printf 'verify-containers: %s\n' "$*" >&2; exit 1; }
say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
quietly() { "$@" >>"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "could not finish: $1 ${2:-}"; }; }
makima() { ./makima "$@"; }
daemon_status() { "$node" apps/daemon/src/main.ts status 2>/dev/null || true; }
free_port() { "$node" -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }
container() { if [ "$engine" = docker ]; then echo "$project-$1-1"; else echo "${project}_$1_1"; fi; }
compose() { if [ "$engine" = docker ]; then docker compose -p "$project" "$@"; else podman-compose -p "$project" "$@"; fi; }

# until_ok <seconds> <what> <command…>
until_ok() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || { complain; fail "$what did not come"; }
    sleep 0.2
  done
}
complain() { for service in $services; do echo "--- $service"; "$engine" logs --tail 8 "$(container "$service")" 2>&1; done >&2 || true; }
ready() { curl --fail --silent --max-time 3 "http://127.0.0.1:$1/readyz"; }
healthy() {
  if [ "$engine" = podman ]; then podman healthcheck run "$(container "$1")"; return; fi
  [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]
}
is_connected() { daemon_status | grep -q '"connected":true'; }

cleanup() {
  local code=$?
  trap - EXIT INT TERM
  stop_daemon || true
  if [ -n "${engine:-}" ]; then compose down -v -t 20 >/dev/null 2>&1 || true; fi
  if [ "${engine:-}" = podman ]; then stand_in_cleanup; fi
  rm -rf "$work"
  exit "$code"
}
stop_daemon() {
  [ -n "${joined:-}" ] || return 0
  local pid
  pid=$(daemon_status | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
  if [ -n "$pid" ]; then kill "$pid"; fi
  wait "$joined" || true
  joined=
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

makima --version >/dev/null
node=$(sed -n 2p .cache/installed)
if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then engine=docker; else stand_in_engine && engine=podman; fi
API_PORT=$(free_port) GATEWAY_PORT=$(free_port) STORE_PASSWORD=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
export API_PORT GATEWAY_PORT STORE_PASSWORD BIND_ADDRESS=127.0.0.1 MAKIMA_DAEMON_HOME=$work/daemon

if [ "$engine" = docker ]; then
  say "images"
  quietly compose build
else
  stand_in_images
  say "images"
  for service in $services; do quietly build --build-arg "SERVICE=$service" -t "localhost/makima-$service" .; done
fi
base=$("$engine" image inspect --format '{{.Size}}' node:24-bookworm-slim 2>/dev/null || true)
for service in $services; do
  size=$("$engine" image inspect --format '{{.Size}}' "makima-$service")
  say "  makima-$service: $((size / 1000000)) MB${base:+, of which $(((size - ${base:-0}) / 1000000)) MB are makima}"
done

say "services first, stores after them"
quietly compose up -d --no-build
quietly "$engine" stop "$(container postgres)" "$(container redis)"
for service in $services; do quietly "$engine" restart -t 40 "$(container "$service")"; done
quietly "$engine" start "$(container redis)" "$(container postgres)"
until_ok 90 "the api" ready "$API_PORT"
until_ok 90 "the gateway" ready "$GATEWAY_PORT"
for service in $services; do
  until_ok 90 "the health of $service" healthy "$service"
  [ "$("$engine" exec "$(container "$service")" id -u)" != 0 ] || fail "$service runs as root"
done
say "ready: $(ready "$API_PORT")"

MAKIMA_URL=http://127.0.0.1:$API_PORT
MAKIMA_TOKEN=$("$engine" exec "$(container api)" cat /var/lib/makima/owner.key)
export MAKIMA_URL MAKIMA_TOKEN
if "$engine" logs "$(container api)" 2>&1 | grep -q "$MAKIMA_TOKEN"; then fail "the owner key is in the log"; fi
line=$(makima daemon enrol --name verify --gateway "ws://127.0.0.1:$GATEWAY_PORT/daemon" 2>/dev/null)
bash -c "$line" >"$work/daemon.log" 2>&1 &
joined=$!
until_ok 30 "the daemon" is_connected
say "joined: $(makima daemon list)"

say "contract: $("$node" tests/e2e/src/one-contract.ts "$MAKIMA_URL" "$work/repository" 2>>"$work/log")"

say "again after a stop, on the same volumes"
for service in $services redis postgres; do
  began=$(date +%s%3N)
  quietly "$engine" stop -t 40 "$(container "$service")"
  code=$("$engine" inspect --format '{{.State.ExitCode}}' "$(container "$service")")
  say "  $service: exit $code after $(($(date +%s%3N) - began)) ms"
  [ "$code" = 0 ] || { complain; fail "$service did not drain"; }
done
for service in postgres redis $services; do quietly "$engine" start "$(container "$service")"; done
until_ok 90 "the api" ready "$API_PORT"
until_ok 90 "the gateway" ready "$GATEWAY_PORT"
makima contracts list --all >"$work/list" 2>&1 || { cat "$work/list" >&2; fail "the list"; }
grep -q completed "$work/list" || fail "the contract is gone"
until_ok 60 "the daemon's return" is_connected
say "contract: $("$node" tests/e2e/src/one-contract.ts "$MAKIMA_URL" "$work/repository" 2>>"$work/log")"
stop_daemon
say "all is well"
