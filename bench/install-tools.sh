#!/usr/bin/env bash
# Installs what the benchmarks load with and compare with: Debian's packages wrk, nginx and pebble, for which it needs root. No
# service is started.
set -euo pipefail

tools=(wrk nginx pebble)

for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] || exec "$(dirname "$0")/../scripts/install-packages.sh" "${tools[@]}"
done
echo "Installed: ${tools[*]}"
