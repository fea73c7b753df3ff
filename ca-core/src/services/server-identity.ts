/**
 * The core's own server certificate for the bridge: a key that lives only in memory and a short-lived certificate of the
 * service CA, both replaced while the listener runs.
 */
import { generateKeyPairSync } from 'node:crypto';
import { encodePem } from '@gatehouse/pkix/pem';
import type { Clock } from '@gatehouse/runtime/clock';
import type { ServerIdentity } from '@gatehouse/runtime/grpc-listener';
import type { Authority } from '../authorities/authority.ts';
import { issueServiceCertificate } from '../authorities/issue-service-certificate.ts';
import type { Instance } from '../keep.ts';

/** The name that every client of the bridge expects, whatever address it dials. */
export const coreServerName = 'core.gatehouse.internal';

const lifeMs = 7 * 24 * 3_600_000;

/** How long a server identity is used before the next one takes over: well before half of its life is gone. */
export const serverIdentityRenewalMs = lifeMs / 3;

/** Makes a fresh key and certificate. */
export function createServerIdentity(service: Authority, instance: Instance, clock: Clock): ServerIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = issueServiceCertificate({
    service,
    uri: instance.uri,
    dnsNames: [coreServerName],
    subjectPublicKeyInfo: publicKey.export({ type: 'spki', format: 'der' }),
    lifeMs,
    usage: 'server',
    instancePrefix: instance.serialNumberPrefix,
    clock,
  });
  return {
    certificate: encodePem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
