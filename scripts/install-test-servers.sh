#!/usr/bin/env bash
# Installs the servers that tests start: PostgreSQL for the state of gates; pebble's challenge server, a resolver that
# validates DNSSEC, an authoritative name server with its tools, and network namespaces for the validation of names; and
# libcoap's client, since the CoAP gate's own tests have it for what no client of ours would do.
# `npm test` runs it first.
set -euo pipefail
cd "$(dirname "$0")"

packages=(postgresql pebble unbound unbound-anchor nsd ldnsutils iproute2 util-linux procps openssl curl
  libcoap3-bin)

has() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

has_postgres() { has postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }

for program in pebble-challtestsrv unbound nsd ldns-signzone drill ip unshare sysctl openssl curl coap-client-openssl; do
  has "$program" || exec ./install-packages.sh "${packages[@]}"
done
has_postgres || exec ./install-packages.sh "${packages[@]}"
