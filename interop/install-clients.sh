#!/usr/bin/env bash
# Installs the stock clients of the matrix: Debian's packages, for which it needs root; what is built of Go in the
# versions that go/go.mod and go/go.sum pin: GlobalSign's estclient, and a checker that does nothing but call Go's own
# reader of OCSP and CRLs; and the current certbot in the versions that python/requirements.txt pins. What cannot be
# installed is named, and fails. No service is started.
set -euo pipefail
cd "$(dirname "$0")"

clients=(strongswan-pki libstrongswan-standard-plugins libstrongswan-extra-plugins curl openssl gnutls-bin
  libnss3-tools nginx python3-cryptography certbot lego dehydrated python3-acme uacme acme-tiny)
# The world in which names are validated, and what the tests of the gates stand on.
servers=(pebble unbound unbound-anchor nsd ldnsutils iproute2 util-linux postgresql)
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
  start_no_services
  apt-get install --yes --no-install-recommends "${missing[@]}"
  for package in "${missing[@]}"; do
    is_installed "$package" || { echo "$package could not be installed" >&2; return 1; }
  done
}

# nginx is run by the matrix itself, as a process that ends with it; its package would start it at once, on port 80. A policy
# that is there already is somebody's own.
start_no_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

find_go() { command -v go || { [ -x /usr/local/go/bin/go ] && echo /usr/local/go/bin/go; }; }

# What is built stands until what it is built from changes.
is_built() {
  local program
  for program in estclient status-checker; do
    [ -x ".work/bin/$program" ] || return 1
    [ -z "$(find go -type f -newer ".work/bin/$program")" ] || return 1
  done
}

# All of it stays in this directory, and nothing but what go.sum has is taken.
build_go() {
  local go
  ! is_built || return 0
  if ! find_go >/dev/null || ! command -v gcc >/dev/null; then install_packages "${builders[@]}"; fi
  go=$(find_go)
  mkdir -p .work
  (
    export GOPATH=$PWD/.work/go GOBIN=$PWD/.work/bin GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw'
    unset GOROOT
    cd go
    CGO_ENABLED=1 "$go" install github.com/globalsign/est/cmd/estclient ./status-checker
  )
  # Go leaves a program alone that would come out the same.
  touch .work/bin/estclient .work/bin/status-checker
}

# PyPI's certbot lives in a folder of its own: no package of the machine is touched, and none of its own is used.
install_certbot() {
  local folder=.work/certbot requirements=python/requirements.txt
  [ ! "$requirements" -nt "$folder/installed" ] && [ -x "$folder/bin/certbot" ] && return 0
  command -v /usr/bin/python3 >/dev/null && /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  mkdir -p .work
  rm -rf "$folder"
  /usr/bin/python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  touch "$folder/installed"
}

if command -v dpkg-query >/dev/null; then
  install_packages "${clients[@]}" "${servers[@]}"
else
  for program in pki curl openssl ocsptool certtool gnutls-cli ocspclnt nginx python3 certbot lego dehydrated uacme \
    acme-tiny pebble-challtestsrv unbound nsd ldns-signzone ip unshare postgres; do
    command -v "$program" >/dev/null || install_packages "${clients[@]}" "${servers[@]}"
  done
fi
build_go
install_certbot
echo "The stock clients are installed: ${clients[*]}, $(.work/bin/estclient version)"
