/**
 * The least that the server's half of a mutual P-256 handshake costs: one signature (ServerKeyExchange), the verification of
 * another (CertificateVerify) and of two certificates, a key for ECDHE and the agreement on a secret. In node:crypto, on
 * this thread.
 */
import { createECDH, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';

/** How often a second that can be done, measured for `durationMs`. */
export function handshakeLimit(durationMs: number): number {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const peer = createECDH('prime256v1').generateKeys();
  const transcript = randomBytes(1500);
  const signature = sign('sha256', transcript, privateKey);
  const startedAt = performance.now();
  let rounds = 0;
  while (performance.now() - startedAt < durationMs) {
    for (let repetition = 0; repetition < 20; repetition++) {
      sign('sha256', transcript, privateKey);
      for (let verification = 0; verification < 3; verification++) {
        if (!verify('sha256', transcript, publicKey, signature)) throw new Error('a signature does not verify');
      }
      const own = createECDH('prime256v1');
      own.generateKeys();
      own.computeSecret(peer);
      rounds++;
    }
  }
  return (rounds * 1000) / (performance.now() - startedAt);
}
