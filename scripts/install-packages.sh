#!/usr/bin/env bash
# Installs Debian's packages that are missing, for which it needs root. What cannot be installed is named, and fails. No
# service is started: what tests need they start themselves, as processes that end with them.
#
#   scripts/install-packages.sh nginx pebble
set -euo pipefail

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Packages of servers would start them at once, on their usual ports. A policy that is there already is somebody's own.
start_no_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian; install what it calls: $*" >&2
  exit 1
fi
missing=()
for package in "$@"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "Missing: ${missing[*]}. Run this as root, or install them: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
start_no_services
apt-get install --yes --no-install-recommends "${missing[@]}"
for package in "${missing[@]}"; do
  is_installed "$package" || { echo "$package could not be installed" >&2; exit 1; }
done
