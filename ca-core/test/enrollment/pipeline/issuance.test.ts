// What an issued certificate is: its period, its serial number, its chain, and the judgement of openssl.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import type { CertificateAuthorityClient, EnrollResponse, Issued } from '@gatehouse/proto/certificate-authority';
import { RequesterKind } from '@gatehouse/proto/types';
import { createManualClock } from '@gatehouse/runtime/clock';
import { parseDuration } from '@gatehouse/runtime/duration';
import { generateSoftwareKey, type KeyAlgorithm } from '../../../src/keys/software-key.ts';
import { loadProfiles } from '../../../src/profiles/load-profiles.ts';
import { verifyStrictly } from '../../openssl.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  issuedOf,
  type RequestParts,
  refused,
  requester,
} from '../../support/enrollment.ts';
import { startTestCore, unary } from '../../support/running-core.ts';

const fixedProfile = `
name: fixed-life
description: Lives for a day, whatever was asked for
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }] }
names: { allowed: [dns] }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [clientAuth]
validity: { fixed: 1d, backdate: 10m }
`;

const clock = createManualClock(new Date());
const core = await startTestCore([], { clock, files: { 'profiles/fixed-life.yaml': fixedProfile } });
after(() => core.stop());
const profiles = loadProfiles();
const everything = { dns: ['*'], ip: ['*'], uri: ['*'], email: ['*'], subject: ['*'] };
// What needs evidence of validated names is tried in test/evidence.
const enrollable = [...profiles.values()]
  .filter(({ authority, validation }) => authority === 'issuing' && validation === undefined)
  .map(({ name }) => name);
const gate = await core.joinRegistrationAuthority({
  name: 'gate',
  profiles: [...enrollable, 'fixed-life'],
  ...everything,
});
const names = ['DNS:a.example.com'];
const secondMs = 1000;
const issuing = new X509Certificate(readFileSync(join(core.directory, 'ca/issuing.pem')));
const now = clock.now().getTime();

const hours = (text: string) => ({ seconds: parseDuration(text) / secondMs, nanos: 0 });

/** Length of the period, both ends included (RFC 5280 §4.1.2.5), and how far its end lies from now; milliseconds. */
async function periodOf(client: CertificateAuthorityClient, changes: Parameters<typeof enrollRequest>[1]) {
  const issued = await issue(client, enrollRequest(certificationRequest({ names }), changes));
  const { notBefore, notAfter } = readCertificate(issued.certificate);
  assert.deepEqual([issued.notBefore, issued.notAfter], [notBefore, notAfter]);
  return {
    whole: notAfter.getTime() + secondMs - notBefore.getTime(),
    left: notAfter.getTime() + secondMs - Math.floor(now / secondMs) * secondMs,
    backdated: Math.floor(now / secondMs) * secondMs - notBefore.getTime(),
  };
}

describe('how long a certificate lives', () => {
  it('for the default, when nothing was asked for', async () => {
    const { left, backdated } = await periodOf(gate, { profile: 'tls-client' });
    assert.deepEqual([left, backdated], [parseDuration('90d'), parseDuration('5m')]);
  });

  it('for as long as was asked, when that is less', async () => {
    assert.equal((await periodOf(gate, { validity: hours('1h') })).left, parseDuration('1h'));
  });

  it('never for longer than the profile’s maximum, however much was asked', async () => {
    for (const validity of [hours('201d'), hours('20y'), { seconds: 2 ** 52, nanos: 0 }]) {
      assert.equal((await periodOf(gate, { validity })).whole, parseDuration('200d'));
    }
  });

  it('never for longer than its RA may have, with or without asking', async () => {
    const brief = await core.joinRegistrationAuthority({
      name: 'brief',
      profiles: ['tls-server', 'fixed-life'],
      dns: ['*'],
      maximumValiditySeconds: 7200.5,
    });
    for (const changes of [{}, { validity: hours('100d') }, { profile: 'fixed-life' }]) {
      assert.equal((await periodOf(brief, changes)).whole, parseDuration('2h'));
    }
    assert.equal((await periodOf(brief, { validity: hours('1h') })).left, parseDuration('1h'));
  });

  it('exactly as a profile with a fixed life says', async () => {
    for (const changes of [{}, { validity: hours('1h') }, { validity: hours('1y') }]) {
      const { whole, backdated } = await periodOf(gate, { profile: 'fixed-life', ...changes });
      assert.deepEqual([whole, backdated], [parseDuration('1d'), parseDuration('10m')]);
    }
  });

  it('from and until exactly when it was asked for, or not at all, RFC 8555 §7.4', async () => {
    const at = (fromNowMs: number) => new Date(Math.floor(now / secondMs) * secondMs + fromNowMs);
    const hour = parseDuration('1h');
    const wanted = { notBefore: at(-hour / 2), notAfter: at(5 * hour) };
    const issued = await issue(gate, enrollRequest(certificationRequest({ names }), wanted));
    assert.deepEqual([issued.notBefore, issued.notAfter], [wanted.notBefore, wanted.notAfter]);
    const unwanted = [
      { notAfter: at(300 * 24 * hour) },
      { notAfter: at(hour + 1) },
      { notAfter: at(-hour) },
      { notBefore: at(-49 * hour) },
      { notBefore: at(49 * hour) },
      { notBefore: at(6 * hour), notAfter: wanted.notAfter },
      { notAfter: wanted.notAfter, profile: 'fixed-life' },
    ];
    for (const changes of unwanted) {
      const request = enrollRequest(certificationRequest({ names }), changes);
      await refused(enroll(gate, request), 'profile-refuses', /notBefore|notAfter|too short|fixes/);
    }
  });

  it('not at all, when what was asked for is over already', async () => {
    for (const validity of [
      { seconds: 0, nanos: 0 },
      { seconds: -3600, nanos: 0 },
      { seconds: 0, nanos: 999_999 },
    ]) {
      const request = enrollRequest(certificationRequest({ names }), { validity });
      await refused(enroll(gate, request), 'profile-refuses', /too short/);
    }
  });
});

describe('RFC 5280 §4.1.2.2: serial numbers', () => {
  it('have 18 octets, are positive, begin with the instance and never repeat', async () => {
    const all = await Promise.all(
      Array.from({ length: 32 }, () => issue(gate, enrollRequest(certificationRequest({ names })))),
    );
    const serialNumbers = all.map(({ serialNumber }) => serialNumber);
    assert.equal(new Set(serialNumbers).size, all.length);
    for (const serialNumber of serialNumbers) {
      assert.match(serialNumber, /^[0-7][0-9a-f]{35}$/);
      assert.equal(serialNumber.slice(0, 4), serialNumbers[0]?.slice(0, 4));
    }
    for (const { certificate, serialNumber } of all) {
      assert.equal(new X509Certificate(certificate).serialNumber.toLowerCase(), serialNumber);
    }
  });
});

describe('ARCHITECTURE §1.3: what leaves the core is recorded', () => {
  it('with an event that says who asked, for what, and what came of it', async () => {
    const { serialNumber } = await issue(gate, enrollRequest(certificationRequest({ names })));
    const [event, ...more] = await auditEvents(core, { serialNumber });
    assert.deepEqual(more, []);
    assert.ok(event);
    assert.deepEqual(
      [event.action, event.outcome, event.actor, event.registrationAuthority, event.requester, event.profile],
      ['certificate-issued', 'success', 'spiffe://gatehouse.internal/ra/gate', 'gate', 'user:demo', 'tls-server'],
    );
    const body = JSON.parse(event.body);
    assert.match(body.tbsSha256, /^[0-9a-f]{64}$/);
    assert.match(body.proofOfPossession, /PKCS#10/);
  });

  it('the chain leads to the trust anchor, issuing CA first', async () => {
    const { chain } = await issue(gate, enrollRequest(certificationRequest({ names })));
    const [issuer, root, ...more] = chain.map((der) => new X509Certificate(der));
    assert.deepEqual(more, []);
    assert.equal(issuer?.fingerprint256, issuing.fingerprint256);
    assert.ok(root && issuer?.verify(root.publicKey));
  });
});

const requests: Readonly<Record<string, RequestParts & { readonly purpose?: string }>> = {
  'tls-server': {
    subject: 'CN=a.example.com',
    names: ['DNS:a.example.com', 'DNS:*.b.example.com', 'IP:192.0.2.1', 'IP:2001:db8::1'],
    purpose: 'sslserver',
  },
  'tls-client': {
    subject: 'CN=Ågot Ødegård,O=Example,C=NO',
    names: ['email:agot@example.com', 'URI:https://example.com/agot'],
    purpose: 'sslclient',
  },
  'tls-server-short-lived': { names: ['DNS:pod.example.com'], purpose: 'sslserver' },
  'tls-client-short-lived': { names: ['URI:spiffe://example.org/job'], purpose: 'sslclient' },
  'tls-server-client': { names: ['DNS:peer.example.com', 'URI:spiffe://example.org/peer'], purpose: 'sslserver' },
  'device-identity': { subject: 'serialNumber=4711,CN=sensor,O=Example', purpose: 'sslclient' },
  'gateway-tls': { subject: 'CN=gate.example.com', names: ['DNS:gate.example.com'], purpose: 'sslserver' },
  'ocsp-signing': { subject: 'CN=Example responder', purpose: 'ocsphelper' },
  'sub-ca': { subject: 'CN=Example site CA,O=Example' },
};

const algorithms: Readonly<Record<string, readonly KeyAlgorithm[]>> = {
  ec: ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521'],
  rsa: ['rsa-3072'],
  ed25519: ['ed25519'],
  'ml-dsa': ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
};

/** Enrolls as whoever the profile is for, and has it approved where a person must. */
async function obtain(profile: string, parts: RequestParts): Promise<Issued> {
  const kind =
    profiles.get(profile)?.requesters === 'any'
      ? RequesterKind.REQUESTER_KIND_USER
      : RequesterKind.REQUESTER_KIND_REGISTRATION_AUTHORITY;
  const request = enrollRequest(certificationRequest(parts), { profile, requester: { ...requester, kind } });
  const answer = await enroll(gate, request);
  if (answer.outcome?.$case !== 'pending') return issuedOf(answer);
  return issuedOf(
    await unary<EnrollResponse>((callback) =>
      core.operator.administration.approveEnrollment({ requestId: answer.requestId, reason: 'tested' }, callback),
    ),
  );
}

describe('every profile, with every key that it takes', () => {
  it('is tried here', () => assert.deepEqual(Object.keys(requests).sort(), [...enrollable].sort()));

  for (const [profile, { purpose, ...parts }] of Object.entries(requests)) {
    const keys = (profiles.get(profile)?.keys ?? []).flatMap((rule) => {
      if (rule.kind === 'ec')
        return rule.curves.map((curve): KeyAlgorithm => `ecdsa-p${curve.slice(2)}` as KeyAlgorithm);
      if (rule.kind === 'ml-dsa') return rule.parameterSets.map((set) => set.toLowerCase() as KeyAlgorithm);
      return algorithms[rule.kind] ?? [];
    });
    for (const algorithm of keys) {
      it(`${profile} for ${algorithm} is a certificate that others accept`, async () => {
        const { certificate, chain } = await obtain(profile, { ...parts, key: generateSoftwareKey(algorithm) });
        assert.ok(new X509Certificate(certificate).verify(issuing.publicKey));
        // openssl learned ML-DSA with 3.5, which a stock machine does not have.
        if (algorithm.startsWith('ml-dsa')) return;
        const [intermediate, anchor] = chain;
        assert.ok(intermediate && anchor);
        const at = clock.now();
        verifyStrictly({ certificate, intermediates: [intermediate], anchor, at, ...(purpose && { purpose }) });
      });
    }
  }
});

describe('RFC 5280 §4.1.2.5: nothing outlives its issuer', () => {
  it('a certificate ends with it at the latest', async () => {
    const path = join(core.directory, 'profiles/long-life.yaml');
    const long = fixedProfile.replace('fixed-life', 'long-life').replace('fixed: 1d', 'default: 1d, maximum: 20y');
    writeFileSync(path, long);
    await core.restart();
    const far = await core.joinRegistrationAuthority({ name: 'far', profiles: ['long-life'], ...everything });
    const validity = hours('15y');
    const request = enrollRequest(certificationRequest({ names }), { profile: 'long-life', validity });
    const { notAfter } = await issue(far, request);
    assert.deepEqual(notAfter, new Date(issuing.validTo));
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
