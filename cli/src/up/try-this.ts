/** What `up` prints for people to copy: commands that work as they stand, with stock tools alone. */
import { join, relative } from 'node:path';
import type { DataDirectory } from '../data-directory.ts';
import { shellQuote } from '../output.ts';
import { demoPasswordFile } from './demo-user.ts';
import type { AcmeEndpoint, EstEndpoint, StatusEndpoint } from './endpoints.ts';

/** Commands that enrol with curl and openssl and verify what comes back. */
export function tryEst(data: DataDirectory, { url, username }: EstEndpoint): string {
  const path = (name: string): string => shellQuote(shortest(join(data.path, name)));
  const curl = `curl -sSf --cacert ${path('trust/root.pem')}`;
  if (username === undefined) {
    return `\
# The certificates of the CA over EST. To enrol, make a user: gatehouse est user add --help
${curl} ${url}/.well-known/est/cacerts | openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs -noout`;
  }
  const password = shellQuote(shortest(demoPasswordFile(data)));
  return `\
# a key and a request
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem \\
  -subj /CN=www.example.com -addext subjectAltName=DNS:www.example.com -outform DER | openssl base64 > request.b64

# the certificate, over EST
${curl} --user "${username}:$(cat ${password})" -H 'Content-Type: application/pkcs10' \\
  --data-binary @request.b64 ${url}/.well-known/est/simpleenroll \\
  | openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs -out certificate.pem

# does it hold?
openssl verify -x509_strict -CAfile ${path('trust/root.pem')} -untrusted ${path('trust/chain.pem')} certificate.pem`;
}

/**
 * Commands that get a certificate for a name of this machine.
 *
 * @param httpPort where http-01 is looked for; undefined where nothing on this machine is looked at
 */
export function tryAcme(data: DataDirectory, { directory }: AcmeEndpoint, httpPort: number | undefined): string {
  const root = shellQuote(shortest(join(data.path, 'trust/root.pem')));
  if (httpPort === undefined) {
    return `\
# The directory of the CA over ACME
curl -sSf --cacert ${root} ${directory}`;
  }
  return `\
# a certificate for a name that is shown to be here, over ACME
REQUESTS_CA_BUNDLE=${root} certbot certonly --standalone --http-01-port ${httpPort} -d www.localhost \\
  --server ${directory} --config-dir certbot --work-dir certbot --logs-dir certbot \\
  --register-unsafely-without-email --agree-tos --non-interactive`;
}

/** Commands that ask for the status of the certificate that was enrolled. */
export function tryStatus(data: DataDirectory, { ocsp, crl }: StatusEndpoint, hasEnrolled: boolean): string {
  const path = (name: string): string => shellQuote(shortest(join(data.path, name)));
  const query = `\
# is it revoked? (gatehouse cert revoke --help)
openssl ocsp -issuer ${path('trust/chain.pem')} -cert certificate.pem -url ${ocsp} \\
  -no_nonce -CAfile ${path('trust/root.pem')} -verify_other ${path('trust/chain.pem')}

`;
  return `${hasEnrolled ? query : ''}# what is revoked
curl -sSf ${crl}/issuing.crl | openssl crl -inform DER -noout -text`;
}

/** A path as it is typed from here, when that is shorter. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere !== '' && !fromHere.startsWith('..') && fromHere.length < path.length ? fromHere : path;
}
