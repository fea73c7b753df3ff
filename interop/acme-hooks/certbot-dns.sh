#!/bin/sh
# Manual hook of certbot, RFC 8555 §8.4: `certbot-dns.sh set` publishes a record, `certbot-dns.sh clear` takes all of the name away.
exec curl -sSf -o /dev/null -d "{\"host\":\"_acme-challenge.$CERTBOT_DOMAIN.\",\"value\":\"$CERTBOT_VALIDATION\"}" "$CHALLENGE_SERVER/$1-txt"
