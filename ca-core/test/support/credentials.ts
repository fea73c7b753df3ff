// Credentials of the bridge that nobody would be given: of any kind, for any time, from the service CA of a test's core.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePem } from '@gatehouse/pkix/pem';
import { systemClock } from '@gatehouse/runtime/clock';
import type { Authority } from '../../src/authorities/authority.ts';
import { issueServiceCertificate } from '../../src/authorities/issue-service-certificate.ts';
import { type Authorities, loadAuthorities } from '../../src/authorities/load-authorities.ts';

/** The hierarchy of a core's data directory. */
export function authoritiesOf(directory: string): Authorities {
  const passphrase = readFileSync(join(directory, 'secrets/passphrase'), 'utf8').trimEnd();
  return loadAuthorities({ directory, passphrase, clock: systemClock });
}

/** The text of a credential file. @param uri of the holder @param service the CA that signs it */
export function makeCredential(
  service: Authority,
  uri: string,
  options: { readonly lifeMs?: number; readonly now?: Date; readonly usage?: 'client' | 'server' } = {},
): string {
  const { lifeMs = 3_600_000, now = new Date(), usage = 'client' } = options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = issueServiceCertificate({
    service,
    uri,
    subjectPublicKeyInfo: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    lifeMs,
    usage,
    instancePrefix: Uint8Array.of(0x7f, 0x01),
    clock: { now: () => now },
  });
  return [
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...[certificate, ...service.chain].map((der) => encodePem('CERTIFICATE', der)),
  ].join('');
}
