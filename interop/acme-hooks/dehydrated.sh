#!/bin/sh
# Hook of dehydrated: `deploy_challenge NAME TOKEN VALUE`, `clean_challenge NAME TOKEN VALUE`; the configuration says for
# which kind of challenge. Everything else that dehydrated tells is nothing to us.
tell() { curl -sSf -o /dev/null -d "$2" "$CHALLENGE_SERVER/$1"; }
case $1-$CHALLENGETYPE in
  deploy_challenge-dns-01) tell set-txt "{\"host\":\"_acme-challenge.$2.\",\"value\":\"$4\"}" ;;
  clean_challenge-dns-01) tell clear-txt "{\"host\":\"_acme-challenge.$2.\"}" ;;
  deploy_challenge-http-01) tell add-http01 "{\"token\":\"$3\",\"content\":\"$4\"}" ;;
  clean_challenge-http-01) tell del-http01 "{\"token\":\"$3\"}" ;;
esac
