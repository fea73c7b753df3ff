// What a relying party sees, against a real core, as `gatehouse up` starts it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { type CertificateList, readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import {
  findExtension,
  readAuthorityInformationAccess,
  readCrlDistributionPoints,
  readSubjectKeyIdentifier,
} from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { type OcspHash, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import { type BasicOcspResponse, readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import { decodePem } from '@gatehouse/pkix/pem';
import { RevocationReason } from '@gatehouse/ra-client/client';
import { type Stack, startStack } from './support/stack.ts';

let stack: Stack;

before(async () => {
  stack = await startStack();
});

after(() => stack.stop());

function requestFor(serialNumbers: readonly string[], hash: OcspHash = 'sha1', nonce?: Uint8Array): Uint8Array {
  const certificateIds = serialNumbers.map((serialNumber) => writeCertificateId(hash, stack.issuing, serialNumber));
  return writeOcspRequest({ certificateIds, nonce });
}

async function get(request: Uint8Array): Promise<Response> {
  return await fetch(`${stack.status.ocsp}/${encodeURIComponent(Buffer.from(request).toString('base64'))}`);
}

async function post(request: Uint8Array): Promise<Response> {
  return await fetch(stack.status.ocsp, {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request' },
    body: Buffer.from(request),
  });
}

/** Reads an answer as a relying party does: nothing counts that does not verify. */
async function verified(response: Response): Promise<BasicOcspResponse> {
  const read = readOcspResponse(new Uint8Array(await response.arrayBuffer()));
  const verdict = verifyOcspResponse(read, { issuer: stack.issuing, now: new Date() });
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.reason);
  assert.ok(read.status === 'successful');
  return read;
}

async function statusOf({ serialNumber }: Certificate): Promise<string> {
  const { singles } = await verified(await get(requestFor([serialNumber])));
  return singles[0]?.status.kind ?? 'nothing';
}

function crlUrlOf(certificate: Certificate): string {
  const points = findExtension(certificate.extensions, extensionIds.crlDistributionPoints);
  const [url] = points === undefined ? [] : readCrlDistributionPoints(points.value);
  assert.ok(url !== undefined);
  return url;
}

async function crlOf(url: string): Promise<CertificateList> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return readCertificateList(new Uint8Array(await response.arrayBuffer()));
}

function isListed(crl: CertificateList, { serialNumber }: Certificate): boolean {
  return crl.entries().some((entry) => entry.serialNumber === serialNumber);
}

/** Asks until the answer is the right one. @returns milliseconds that it took */
async function untilIs(what: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  while (!(await what()));
  return performance.now() - start;
}

describe('RFC 6960: OCSP of a certificate', () => {
  it('says good as soon as it is issued, by GET and by POST, for both kinds of CertID', async () => {
    const certificate = await stack.enroll();
    await untilIs(async () => (await statusOf(certificate)) === 'good');
    for (const hash of ['sha1', 'sha256'] as const) {
      for (const send of [get, post]) {
        const response = await send(requestFor([certificate.serialNumber], hash));
        assert.equal(response.headers.get('content-type'), 'application/ocsp-response');
        const [single] = (await verified(response)).singles;
        assert.equal(single?.status.kind, 'good');
        assert.equal(single?.certificateId.hash, hash);
      }
    }
  });

  it('says unknown of a serial number that was never issued', async () => {
    const { singles } = await verified(await get(requestFor(['0123456789abcdef'])));
    assert.equal(singles[0]?.status.kind, 'unknown');
  });

  it('§4.1: answers for several certificates at once', async () => {
    const [one, other] = [await stack.enroll(), await stack.enroll()];
    const request = requestFor([one.serialNumber, '0bad', other.serialNumber]);
    const { singles } = await verified(await post(request));
    assert.deepEqual(
      singles.map(({ status }) => status.kind),
      ['good', 'unknown', 'good'],
    );
  });

  it('RFC 9654: ignores a nonce unless the keep is told to answer it', async () => {
    const certificate = await stack.enroll();
    await untilIs(async () => (await statusOf(certificate)) === 'good');
    const { nonce } = await verified(await post(requestFor([certificate.serialNumber], 'sha1', Buffer.alloc(16, 1))));
    assert.equal(nonce, undefined);
  });

  it('RFC 5019 §6.2: a client that has the answer gets 304', async () => {
    const certificate = await stack.enroll();
    await untilIs(async () => (await statusOf(certificate)) === 'good');
    const { headers, url } = await get(requestFor([certificate.serialNumber]));
    const again = await fetch(url, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
    assert.equal(again.status, 304);
    assert.equal(again.headers.get('expires'), headers.get('expires'));
  });
});

describe('a revocation is seen within a second', () => {
  it('by OCSP and on the CRL that the certificate names, complete and delta', async (context) => {
    const url = crlUrlOf(await stack.enroll());
    const before = await crlOf(url);
    const delays: { ocsp: number; crl: number }[] = [];
    for (let i = 0; i < 5; i++) {
      const certificate = await stack.enroll();
      await untilIs(async () => (await statusOf(certificate)) === 'good');
      const { serialNumber } = certificate;
      await stack.operator.revoke({ serialNumber, reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE });
      const [ocsp, crl] = await Promise.all([
        untilIs(async () => (await statusOf(certificate)) === 'revoked'),
        untilIs(async () => isListed(await crlOf(url), certificate)),
      ]);
      delays.push({ ocsp, crl });
      const delta = await crlOf(url.replace(/\.crl$/, '-delta.crl'));
      assert.ok(delta.baseCrlNumber !== undefined && delta.baseCrlNumber < (delta.crlNumber ?? 0n));
    }
    const figures = delays.map(({ ocsp, crl }) => `OCSP ${ocsp.toFixed(0)} ms, CRL ${crl.toFixed(0)} ms`);
    context.diagnostic(figures.join(' · '));
    for (const { ocsp, crl } of delays) assert.ok(ocsp < 1_000 && crl < 1_000, figures.join());
    assert.ok(((await crlOf(url)).crlNumber ?? 0n) > (before.crlNumber ?? 0n));
  });

  it('and so are a hold and its release', async () => {
    const certificate = await stack.enroll();
    const { serialNumber } = certificate;
    const url = crlUrlOf(certificate);
    await untilIs(async () => (await statusOf(certificate)) === 'good');
    await stack.operator.revoke({ serialNumber, reason: RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD });
    await untilIs(async () => (await statusOf(certificate)) === 'revoked' && isListed(await crlOf(url), certificate));
    const { singles } = await verified(await get(requestFor([serialNumber])));
    assert.equal(singles[0]?.status.kind === 'revoked' && singles[0].status.reason, 6);
    await stack.operator.revoke({ serialNumber, reason: RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL });
    await untilIs(async () => (await statusOf(certificate)) === 'good' && !isListed(await crlOf(url), certificate));
    // RFC 5280 §5.2.4: removeFromCRL.
    await untilIs(async () => {
      const delta = await crlOf(url.replace(/\.crl$/, '-delta.crl'));
      return delta.entries().some((entry) => entry.serialNumber === serialNumber && entry.reason === 8);
    });
  });
});

describe('RFC 5280 §4.2.2.1, §4.2.1.13: what certificates name is there', () => {
  it('OCSP responder, issuer and CRL of a certificate, and of the issuing CA', async () => {
    const certificate = await stack.enroll();
    for (const [one, issuer] of [
      [certificate, stack.issuing],
      [stack.issuing, stack.root],
    ] as const) {
      const access = findExtension(one.extensions, extensionIds.authorityInformationAccess);
      assert.ok(access !== undefined);
      const { ocsp, caIssuers } = readAuthorityInformationAccess(access.value);
      if (one === certificate) assert.deepEqual(ocsp, [stack.status.ocsp]);
      const [url] = caIssuers;
      const response = await fetch(url ?? '');
      assert.equal(response.headers.get('content-type'), 'application/pkix-cert');
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(issuer.der));
      const crl = await crlOf(crlUrlOf(one));
      assert.deepEqual(Buffer.from(crl.issuerDer), Buffer.from(issuer.subjectDer));
      const keyIdentifier = findExtension(issuer.extensions, extensionIds.subjectKeyIdentifier);
      assert.ok(keyIdentifier !== undefined);
      const expected = Buffer.from(readSubjectKeyIdentifier(keyIdentifier.value));
      assert.deepEqual(Buffer.from(crl.authorityKeyIdentifier ?? []), expected);
    }
  });

  it('the chain is the one of the keep', async () => {
    const text = await (await fetch(new URL('/chain.pem', stack.status.ocsp))).text();
    const [block, ...rest] = decodePem(text, ['CERTIFICATE']);
    assert.deepEqual(Buffer.from(block?.der ?? []), Buffer.from(stack.issuing.der));
    assert.equal(rest.length, 0);
  });
});

describe('ARCHITECTURE §8: the core is killed', () => {
  it('the gate answers on, and takes up what comes after', async () => {
    const [good, revoked] = [await stack.enroll(), await stack.enroll()];
    await untilIs(async () => (await statusOf(good)) === 'good' && (await statusOf(revoked)) === 'good');
    const url = crlUrlOf(good);
    const { crlNumber } = await crlOf(url);
    const isBack = stack.killCore();
    for (let i = 0; i < 20; i++) assert.equal(await statusOf(good), 'good');
    assert.equal((await crlOf(url)).crlNumber, crlNumber);
    await isBack;
    await stack.operator.revoke({
      serialNumber: revoked.serialNumber,
      reason: RevocationReason.REVOCATION_REASON_SUPERSEDED,
    });
    await untilIs(async () => (await statusOf(revoked)) === 'revoked');
    await untilIs(async () => isListed(await crlOf(url), revoked));
    assert.equal(await statusOf(good), 'good');
  });

  it('says so where its operator looks', async () => {
    const { management } = JSON.parse(readFileSync(join(stack.directory, 'run/status.json'), 'utf8'));
    await untilIs(async () => (await fetch(`http://${management}/readyz`)).status === 200);
    const metrics = await (await fetch(`http://${management}/metrics`)).text();
    assert.match(metrics, /^gatehouse_status_core_reachable 1$/m);
    assert.match(metrics, /^gatehouse_status_requests_total\{kind="ocsp-get",outcome="pre-signed"\} [1-9]\d*$/m);
  });
});
