/**
 * The least that an enrollment costs: verify the signature of one P-256 request, make one P-256 signature. Measured in
 * the same run as what is compared with it, on one core, so that a ratio means something on a shared machine.
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';

/** Verify-and-sign pairs per second on this thread, measured for `durationMs`. */
export function cryptoLimit(certificationRequest: Uint8Array, durationMs: number): number {
  const request = readCertificationRequest(certificationRequest);
  const publicKey = createPublicKey({ key: Buffer.from(request.subjectPublicKeyInfo), format: 'der', type: 'spki' });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const startedAt = performance.now();
  let pairs = 0;
  while (performance.now() - startedAt < durationMs) {
    for (let repetition = 0; repetition < 50; repetition++) {
      if (!verify('sha256', request.info, publicKey, request.signature)) throw new Error('the request does not verify');
      sign('sha256', request.info, privateKey);
      pairs++;
    }
  }
  return (pairs * 1000) / (performance.now() - startedAt);
}
