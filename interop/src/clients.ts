// The clients of the matrix, in its order.

import { brokenInputs } from './broken-input.ts';
import { refusals } from './broken-input-client.ts';
import { brokenStatusInputs } from './broken-status.ts';
import { statusRefusals } from './broken-status-client.ts';
import type { Client } from './client.ts';
import { acmeClient } from './clients/acme-client.ts';
import { acmeTinyClient } from './clients/acme-tiny.ts';
import { brokenCoapClient } from './clients/broken-coap.ts';
import { certbotClient, currentCertbotClient } from './clients/certbot.ts';
import { curlClient } from './clients/curl.ts';
import { curlStatusClient } from './clients/curl-status.ts';
import { dehydratedClient } from './clients/dehydrated.ts';
import { estclient } from './clients/estclient.ts';
import { gnutlsClient } from './clients/gnutls.ts';
import { goClient } from './clients/go.ts';
import { goCoapClient } from './clients/go-coap.ts';
import { legoClient } from './clients/lego.ts';
import { libcoapGnutlsClient } from './clients/libcoap-gnutls.ts';
import { libcoapOpensslClient } from './clients/libcoap-openssl.ts';
import { nginxClient } from './clients/nginx.ts';
import { nodeClient } from './clients/node.ts';
import { nssClient } from './clients/nss.ts';
import { opensslClient } from './clients/openssl.ts';
import { opensslCrlClient } from './clients/openssl-crl.ts';
import { opensslOcspClient } from './clients/openssl-ocsp.ts';
import { pythonClient } from './clients/python.ts';
import { pythonAcmeClient } from './clients/python-acme.ts';
import { opensslDtlsClient } from './clients/s-client-dtls.ts';
import { opensslServerClient } from './clients/s-server.ts';
import { strongSwan } from './clients/strongswan.ts';
import { strongSwanOnline } from './clients/strongswan-online.ts';
import { uacmeClient } from './clients/uacme.ts';

/** All clients. */
export const clients: readonly Client[] = [
  strongSwan,
  curlClient,
  opensslClient,
  estclient,
  nodeClient,
  {
    name: 'broken input by curl and s_client',
    gate: 'est',
    version: curlClient.version,
    operations: refusals(brokenInputs),
  },
  opensslOcspClient,
  opensslCrlClient,
  curlStatusClient,
  gnutlsClient,
  nssClient,
  strongSwanOnline,
  nginxClient,
  opensslServerClient,
  goClient,
  pythonClient,
  {
    name: 'broken input for status by curl and Node.js net',
    gate: 'status',
    version: curlClient.version,
    operations: statusRefusals(brokenStatusInputs),
  },
  certbotClient,
  currentCertbotClient,
  legoClient,
  dehydratedClient,
  acmeClient,
  pythonAcmeClient,
  uacmeClient,
  acmeTinyClient,
  libcoapOpensslClient,
  libcoapGnutlsClient,
  goCoapClient,
  opensslDtlsClient,
  brokenCoapClient,
];
