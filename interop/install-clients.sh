#!/usr/bin/env bash
# Installs the stock clients of the matrix: Debian's packages, for which it needs root; what is built of Go in the
# versions that go/go.mod and go/go.sum pin: GlobalSign's estclient, and a checker that does nothing but call Go's own
# reader of OCSP and CRLs; and the current certbot in the versions that python/requirements.txt pins. What cannot be
# installed is named, and fails. No service is started.
set -euo pipefail
cd "$(dirname "$0")"

clients=(strongswan-pki libstrongswan-standard-plugins libstrongswan-extra-plugins curl openssl gnutls-bin
  libnss3-tools nginx python3-cryptography certbot lego dehydrated python3-acme uacme acme-tiny)
# estclient speaks PKCS #11 by way of C.
builders=(golang-go gcc libc6-dev)

install_packages() { ../scripts/install-packages.sh "$@"; }

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

../scripts/install-test-servers.sh
if command -v dpkg-query >/dev/null; then
  install_packages "${clients[@]}"
else
  for program in pki curl openssl ocsptool certtool gnutls-cli ocspclnt nginx python3 certbot lego dehydrated uacme acme-tiny; do
    command -v "$program" >/dev/null || install_packages "${clients[@]}"
  done
fi
build_go
install_certbot
echo "The stock clients are installed: ${clients[*]}, $(.work/bin/estclient version)"
