/**
 * Verifies anew what the account holder signed (RFC 8555 §7.4): the finalize request with the account's key, the changes of
 * that key, and that the request holds the very key that was certified.
 */
import { type AccountHolder, acmeIdempotencyKey, verifyAcmeFinalize } from '@gatehouse/ca-core/evidence/acme-finalize';
import { createAcmeUrls } from '@gatehouse/ca-core/evidence/acme-urls';
import { CertificationRequestError, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/ra-client/core-error';

/** What became of it. */
export type FinalizeFinding = {
  /** The evidence as JSON. */
  readonly text: string;
  readonly holder: AccountHolder | undefined;
  /** Why it does not verify; undefined when it does. */
  readonly fault: string | undefined;
};

/** Verifies the evidence. Never throws for what is in it. @param certifiedKey SubjectPublicKeyInfo of the certificate */
export function verifyFinalize(payload: Uint8Array, certifiedKey: Uint8Array): FinalizeFinding {
  const text = Buffer.from(payload).toString('utf8');
  const request = readRequest(text);
  if (request === undefined) return { text, holder: undefined, fault: 'it holds no finalize request' };
  const { url, csr } = request;
  const [, base = '', orderId = ''] = /^(.*)\/acme\/order\/([^/]+)\/finalize$/.exec(url) ?? [];
  try {
    const holder = verifyAcmeFinalize(payload, {
      certificationRequest: csr,
      idempotencyKey: acmeIdempotencyKey(orderId, csr),
      urls: createAcmeUrls([base]),
    });
    const { subjectPublicKeyInfo } = readCertificationRequest(csr);
    const isSame = Buffer.compare(subjectPublicKeyInfo, certifiedKey) === 0;
    return { text, holder, fault: isSame ? undefined : 'it asks for a certificate for another key' };
  } catch (error) {
    if (error instanceof CoreError || error instanceof CertificationRequestError) {
      return { text, holder: undefined, fault: error.detail };
    }
    throw error;
  }
}

/** What the finalize request says of itself: for whom the rest must hold. */
function readRequest(text: string): { readonly url: string; readonly csr: Uint8Array } | undefined {
  const jws = memberOf(parse(text), 'jws');
  const flattened = typeof jws === 'string' ? parse(jws) : jws;
  const url = memberOf(decode(memberOf(flattened, 'protected')), 'url');
  const csr = memberOf(decode(memberOf(flattened, 'payload')), 'csr');
  if (typeof url !== 'string' || typeof csr !== 'string') return undefined;
  return { url, csr: Buffer.from(csr, 'base64url') };
}

function decode(part: unknown): unknown {
  return typeof part === 'string' ? parse(Buffer.from(part, 'base64url').toString('utf8')) : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
