/** Requests for load tests: keys are made before the clock runs, and no two requests in a row have the same key. */
import { generateKeyPairSync } from 'node:crypto';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';

/** `count` PKCS#10 requests (DER) with P-256 keys for names below `domain`. */
export function makeRequests(count: number, domain: string): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    createCertificationRequest({
      subject: [],
      key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      names: [{ kind: 'dns', value: `host${index}.${domain}` }],
    }),
  );
}

/** The element at `index`, going round. */
export function at<T>(list: readonly T[], index: number): T {
  const element = list[index % list.length];
  if (element === undefined) throw new RangeError('the list is empty');
  return element;
}
