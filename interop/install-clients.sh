#!/usr/bin/env bash
# Installs the stock clients of the matrix: Debian's packages, for which it needs root; what is built of Go in the
# versions that go.mod and go.sum pin: GlobalSign's estclient, a checker that does nothing but call Go's own reader of OCSP
# and CRLs, and, in a module of its own, a client around go-coap and pion's DTLS; and the current certbot in the versions
# that python/requirements.txt pins. What cannot be installed is named, and fails. No service is started.
set -euo pipefail
cd "$(dirname "$0")"

clients=(strongswan-pki libstrongswan-standard-plugins libstrongswan-extra-plugins curl openssl gnutls-bin
  libnss3-tools nginx python3-cryptography certbot lego dehydrated python3-acme uacme acme-tiny
  libcoap3-bin)
# estclient speaks PKCS #11 by way of C.
builders=(golang-go gcc libc6-dev)

install_packages() { ../scripts/install-packages.sh "$@"; }

find_go() { { [ -x /usr/local/go/bin/go ] && echo /usr/local/go/bin/go; } || command -v go; }

# What is built stands until what it is built from changes.
is_built() {
  local program
  for program in estclient status-checker coap-client; do
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
    cd coap-client
    go=$(newer_go "$go")
    "$go" install .
  )
  # Go leaves a program alone that would come out the same.
  touch .work/bin/estclient .work/bin/status-checker .work/bin/coap-client
}

# pion's DTLS needs Go 1.20, which Debian 12 has in its backports alone: the Go module proxy has one, as a module whose sum
# Go's checksum database knows.
newer_go() {
  local toolchain
  if "$1" list crypto/ecdh >/dev/null 2>&1; then
    echo "$1"
    return
  fi
  toolchain=golang.org/toolchain@v0.0.1-go1.24.4.$("$1" env GOOS)-$("$1" env GOARCH)
  "$1" mod download "$toolchain"
  # Modules carry no permissions.
  chmod -R +x "$GOPATH/pkg/mod/$toolchain/bin" "$GOPATH/pkg/mod/$toolchain/pkg/tool"
  echo "$GOPATH/pkg/mod/$toolchain/bin/go"
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

../scripts/install-test-servers.sh
if command -v dpkg-query >/dev/null; then
  install_packages "${clients[@]}"
else
  for program in pki curl openssl ocsptool certtool gnutls-cli ocspclnt nginx python3 certbot lego dehydrated uacme acme-tiny \
    coap-client-openssl coap-client-gnutls; do
    command -v "$program" >/dev/null || install_packages "${clients[@]}"
  done
fi
build_go
install_certbot
echo "The stock clients are installed: ${clients[*]}, $(.work/bin/estclient version)"
