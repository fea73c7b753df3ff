#!/usr/bin/env bash
# Installs the stock clients of the matrix: Debian's packages, for which it needs root, and GlobalSign's estclient, which is
# built from its Go module in the versions that go/go.mod and go/go.sum pin. What cannot be installed is named, and fails.
set -euo pipefail
cd "$(dirname "$0")"

clients=(strongswan-pki libstrongswan-standard-plugins libstrongswan-extra-plugins curl openssl)
# estclient speaks PKCS #11 by way of C.
builders=(golang-go gcc libc6-dev)

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian; install what it calls: $*" >&2
    return 1
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: ${missing[*]}. Run this as root, or install them: apt-get install ${missing[*]}" >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install --yes --no-install-recommends "${missing[@]}"
  for package in "${missing[@]}"; do
    is_installed "$package" || { echo "$package could not be installed" >&2; return 1; }
  done
}

find_go() { command -v go || { [ -x /usr/local/go/bin/go ] && echo /usr/local/go/bin/go; }; }

build_estclient() {
  local version go
  version=$(sed -n 's,^require github.com/globalsign/est v,,p' go/go.mod)
  case $(.work/bin/estclient version 2>/dev/null) in *" $version") return 0 ;; esac
  if ! find_go >/dev/null || ! command -v gcc >/dev/null; then install_packages "${builders[@]}"; fi
  go=$(find_go)
  mkdir -p .work
  # All of it stays in this directory, and nothing but what go.sum has is taken.
  (
    export GOPATH=$PWD/.work/go GOBIN=$PWD/.work/bin GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw'
    unset GOROOT
    cd go
    CGO_ENABLED=1 "$go" install github.com/globalsign/est/cmd/estclient
  )
}

if command -v dpkg-query >/dev/null; then
  install_packages "${clients[@]}"
else
  for program in pki curl openssl; do
    command -v "$program" >/dev/null || install_packages "${clients[@]}"
  done
fi
build_estclient
echo "The stock clients are installed: ${clients[*]}, $(.work/bin/estclient version)"
