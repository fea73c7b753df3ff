// Who may speak about a certificate, and for how long.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../src/extensions.ts';
import { keyPurposes } from '../../src/object-identifiers.ts';
import { ocspErrorResponse } from '../../src/ocsp/response.ts';
import { OcspResponseError, readOcspResponse } from '../../src/ocsp/response-contents.ts';
import { type OcspVerification, verifyOcspResponse } from '../../src/ocsp/verify-response.ts';
import { type CertificateShape, type Identity, makeAuthority, makeCertificate, now } from '../support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from '../support/foreign-bytes.ts';
import { makeOcspWorld, opensslRequest, opensslResponse } from './openssl.ts';
import { byKey, byName, makeResponseData, makeSingle, signResponse } from './response-shapes.ts';

const issuer = makeAuthority({ subject: 'CN=issuer' });
const hour = 60 * 60 * 1000;

function makeResponder(shape: CertificateShape = {}): Identity {
  return makeCertificate({
    subject: 'CN=responder',
    issuer,
    extensions: [basicConstraints({ ca: false }), extendedKeyUsage([keyPurposes.OCSPSigning])],
    ...shape,
  });
}
const responder = makeResponder();

type Shape = {
  readonly by?: Identity;
  readonly key?: Identity;
  readonly certificates?: readonly Identity[];
  readonly about?: Identity;
  readonly named?: 'key' | 'name';
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
};

function respond({ by = responder, about = issuer, named = 'key', ...shape }: Shape = {}): Buffer {
  const { key = by, certificates = [by], thisUpdate = now, nextUpdate = new Date(now.getTime() + hour) } = shape;
  const singles = [makeSingle({ issuer: about.certificate, thisUpdate, nextUpdate })];
  const responderId = named === 'key' ? byKey(by.certificate) : byName(by.certificate);
  const responseData = makeResponseData({ responderId, producedAt: now, singles });
  return signResponse(responseData, key.key, certificates);
}

function verify(response: Uint8Array, at = now): OcspVerification {
  return verifyOcspResponse(readOcspResponse(response), { issuer: issuer.certificate, now: at });
}

function refuses(response: Uint8Array, reason: RegExp, at = now): void {
  const result = verify(response, at);
  assert.ok(!result.ok && reason.test(result.reason), JSON.stringify(result));
}

describe('RFC 6960 §4.2.2.2: who may sign', () => {
  it('the issuer itself, with or without its certificate', () => {
    for (const certificates of [[], [issuer]]) {
      const result = verify(respond({ by: issuer, certificates }));
      assert.ok(result.ok && result.responder === issuer.certificate);
    }
  });

  it('a responder that the issuer has charged, named by key or by name', () => {
    for (const named of ['key', 'name'] as const) {
      const result = verify(respond({ named }));
      assert.ok(result.ok);
      assert.deepEqual(Buffer.from(result.responder.der), Buffer.from(responder.certificate.der));
    }
  });

  it('finds the right one among several of one name', () => {
    const old = makeResponder();
    assert.ok(verify(respond({ named: 'name', certificates: [old, responder] })).ok);
  });

  it('a real responder: openssl', () => {
    const world = makeOcspWorld();
    const { certificate } = world.leaf;
    const request = opensslRequest(world.issuer.certificate, [certificate], []);
    const index = [{ state: 'V', serialNumber: certificate.serialNumber }] as const;
    for (const options of [['-resp_key_id'], ['-rmd', 'sha384']]) {
      const response = readOcspResponse(opensslResponse(world, request, index, options));
      assert.ok(verifyOcspResponse(response, { issuer: world.issuer.certificate, now: new Date() }).ok);
    }
  });

  it('not one without id-kp-OCSPSigning; anyExtendedKeyUsage is not enough', () => {
    for (const extensions of [
      [basicConstraints({ ca: false })],
      [extendedKeyUsage([keyPurposes.serverAuth])],
      [extendedKeyUsage([keyPurposes.anyExtendedKeyUsage])],
    ]) {
      refuses(respond({ by: makeResponder({ extensions }) }), /no certificate for signing OCSP responses/);
    }
  });

  it('not one whose key may not sign', () => {
    const extensions = [extendedKeyUsage([keyPurposes.OCSPSigning]), keyUsage(['keyAgreement'])];
    refuses(respond({ by: makeResponder({ extensions }) }), /may not sign/);
  });

  it('not one that another CA has charged, nor a CA below the issuer', () => {
    const other = makeAuthority({ subject: 'CN=other' });
    refuses(respond({ by: makeResponder({ issuer: other }) }), /no anchor issued/);
    const impostor = makeAuthority({ subject: 'CN=issuer' });
    refuses(respond({ by: makeResponder({ issuer: impostor }) }), /the responder/);
    const below = makeAuthority({ subject: 'CN=below', issuer });
    const charged = makeResponder({ issuer: below });
    refuses(respond({ by: charged, certificates: [charged, below] }), /no anchor issued/);
  });

  it('not one whose certificate is over or not yet valid', () => {
    const old = makeResponder({ notAfter: new Date(now.getTime() - hour) });
    refuses(respond({ by: old }), /not valid after/);
    const young = makeResponder({ notBefore: new Date(now.getTime() + hour) });
    refuses(respond({ by: young }), /not valid before/);
  });

  it('not one whose certificate is missing, or whose key has not signed', () => {
    refuses(respond({ certificates: [] }), /certificate is not in its response/);
    refuses(respond({ key: makeResponder() }), /signature does not verify/);
  });
});

describe('RFC 6960 §3.2: what an answer must be', () => {
  it('an answer', () => refuses(ocspErrorResponse('tryLater'), /answered tryLater/));

  it('about a certificate of the issuer', () => {
    refuses(respond({ about: makeAuthority({ subject: 'CN=other' }) }), /another issuer/);
  });

  it('current, to the second', () => {
    const nextUpdate = new Date(now.getTime() + hour);
    assert.ok(verify(respond({ nextUpdate }), nextUpdate).ok);
    refuses(respond({ nextUpdate }), /held until/, new Date(nextUpdate.getTime() + 1));
    refuses(respond({ thisUpdate: nextUpdate }), /holds from/);
  });

  it('never makes verification throw, whatever it is', () => {
    const bytes = foreignBytes(respond({ named: 'name' }), respond());
    assertOnlyThrows(verify, [OcspResponseError], bytes, 1000);
  });
});
