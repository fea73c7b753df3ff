#!/usr/bin/env bash
# Installs what the benchmarks load with and compare with: Debian's packages wrk, nginx and pebble, for which it needs root. No
# service is started.
set -euo pipefail

tools=(wrk nginx pebble)

missing=()
for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] || missing+=("$tool")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Installed: ${tools[*]}"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "This is no Debian; install what it calls: ${missing[*]}" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Missing: ${missing[*]}. Run this as root, or install them: apt-get install ${missing[*]}" >&2
  exit 1
fi
# nginx is run by the benchmark itself; its package would start it at once, on port 80. A policy that is there already is
# somebody's own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends "${missing[@]}"
