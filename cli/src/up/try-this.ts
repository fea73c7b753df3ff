/** What `up` prints for people to copy: commands that work as they stand, with stock tools alone. */
import { join, relative } from 'node:path';
import type { DataDirectory } from '../data-directory.ts';
import { shellQuote } from '../output.ts';
import { demoPasswordFile } from './demo-user.ts';
import type { AcmeEndpoint, CoapEndpoint, EstEndpoint, StatusEndpoint } from './endpoints.ts';

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

/** Commands that enrol the device for trying out. @param subject of its IDevID, as openssl writes it in `-subj` */
export function tryCoap(data: DataDirectory, endpoint: CoapEndpoint, subject: string | undefined): string {
  const path = (name: string): string => shellQuote(shortest(join(data.path, name)));
  const { url, deviceCertificate, deviceKey } = endpoint;
  const client = (certificate: string, key: string): string =>
    `coap-client-openssl -c ${certificate} -j ${key} -C ${path('trust/root.pem')}`;
  if (deviceCertificate === undefined || deviceKey === undefined || subject === undefined) {
    return `\
# The certificates of the CA over CoAP, for a device with a certificate that counts here (docs/coap.md)
${client('device.pem', 'device.key')} -m get -A 281 -o crts.p7 ${url}/.well-known/est/crts`;
  }
  return `\
# a device gets a certificate over CoAP, with the one that its manufacturer gave it
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device-key.pem \\
  -subj ${shellQuote(subject)} -outform DER -out device.csr
${client(path(deviceCertificate), path(deviceKey))} \\
  -m post -t 286 -A 281 -f device.csr -o device.p7 ${url}/.well-known/est/sen
openssl pkcs7 -inform DER -in device.p7 -print_certs -out device-certificate.pem`;
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
