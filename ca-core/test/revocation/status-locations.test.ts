// What certificates say about where their status is found, over the real wire, with shards, with more shards, and without
// a base URL; and that the CRL that a certificate names is the one that is recorded with it, for good.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import {
  readAuthorityInformationAccess,
  readCrlDistributionPoints,
  readSubjectKeyIdentifier,
} from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import type { CertificateAuthorityClient, EnrollResponse } from '@gatehouse/proto/certificate-authority';
import { RequesterKind } from '@gatehouse/proto/types';
import { loadRootCrl } from '../../src/authorities/root-crl.ts';
import { issuerUrl } from '../../src/revocation/crl-scope.ts';
import {
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  issuedOf,
  newKey,
  requester,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';
import { extensionValue } from '../x509/builders.ts';

const base = 'http://status.example.com:6960/pki';
const names = ['DNS:a.example.com'];

const ownProfile = (name: string, more: string): string => `
name: ${name}
description: for this test
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }] }
names: { allowed: [dns] }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
validity: { default: 1d, maximum: 2d }
${more}
`;

function configuration(shards: number, baseUrl = base): string {
  return `core: { status: { baseUrl: '${baseUrl}', issuing: { crl: { shards: ${shards} } } } }\n`;
}

const core = await startTestCore([], {
  statusUrl: base,
  files: {
    'gatehouse.yaml': configuration(3, `${base}/`),
    'profiles/elsewhere.yaml': ownProfile(
      'elsewhere',
      "authorityInformationAccess: { ocsp: ['http://o.example/'] }\ncrlDistributionPoints: ['http://c.example/1.crl']",
    ),
    'profiles/secret.yaml': ownProfile('secret', 'status: unpublished'),
  },
});
after(() => core.stop());
const profiles = [
  'tls-server',
  'tls-server-short-lived',
  'tls-client-short-lived',
  'sub-ca',
  'ocsp-signing',
  'elsewhere',
  'secret',
];
const credential = await core.addRegistrationAuthority({ name: 'gate', profiles, dns: ['*'], subject: ['*'] });
const issuing = readCertificate(new X509Certificate(readFileSync(join(core.directory, 'ca/issuing.pem'))).raw);
const issuerId = Buffer.from(
  readSubjectKeyIdentifier(extensionValue(issuing, extensionIds.subjectKeyIdentifier)),
).toString('hex');
const caIssuers = [`${base}/issuer/${issuerId}.crt`];

const gate = (): CertificateAuthorityClient => core.connect(credential).authority;

async function restartWith(text: string): Promise<CertificateAuthorityClient> {
  writeFileSync(join(core.directory, 'gatehouse.yaml'), text);
  await core.restart();
  return gate();
}

/** crl_scope of all certificates by serial number, as the database has it. */
function recordedScopes(authority = 'issuing'): ReadonlyMap<string, string> {
  const database = new DatabaseSync(join(core.directory, 'core.db'), { readOnly: true });
  try {
    const rows = database.prepare('select serial_number, crl_scope from certificates where authority = ?');
    return new Map(rows.all(authority).map((row) => [String(row.serial_number), String(row.crl_scope)]));
  } finally {
    database.close();
  }
}

async function issueOf(client: CertificateAuthorityClient, profile = 'tls-server'): Promise<Certificate> {
  const csr = certificationRequest({ names, key: newKey() });
  return readCertificate((await issue(client, enrollRequest(csr, { profile }))).certificate);
}

/** A certificate of a profile that a person approves. */
async function approved(client: CertificateAuthorityClient, profile: string): Promise<Certificate> {
  const kind = RequesterKind.REQUESTER_KIND_REGISTRATION_AUTHORITY;
  const csr = certificationRequest({ subject: 'CN=Example' });
  const { requestId } = await enroll(client, enrollRequest(csr, { profile, requester: { ...requester, kind } }));
  const answer = await unary<EnrollResponse>((callback) =>
    core.operator.administration.approveEnrollment({ requestId, reason: 'tested' }, callback),
  );
  return readCertificate(issuedOf(answer).certificate);
}

function locationsOf(certificate: Certificate) {
  const points = extensionOf(certificate, extensionIds.crlDistributionPoints);
  const access = extensionOf(certificate, extensionIds.authorityInformationAccess);
  return {
    crl: points === undefined ? [] : readCrlDistributionPoints(points.value),
    ...(access === undefined ? { ocsp: [], caIssuers: [] } : readAuthorityInformationAccess(access.value)),
  };
}

const nowhere = { crl: [], ocsp: [], caIssuers: [] };

function shardIn(shards: number, { serialNumber }: Certificate): string {
  return `issuing-${(BigInt(`0x${serialNumber}`) % BigInt(shards)) + 1n}`;
}

function assertShards(certificates: readonly Certificate[], shards: number): void {
  const recorded = recordedScopes();
  for (const certificate of certificates) {
    const scope = shardIn(shards, certificate);
    assert.equal(recorded.get(certificate.serialNumber), scope);
    assert.deepEqual(locationsOf(certificate), {
      crl: [`${base}/crl/${scope}.crl`],
      ocsp: [`${base}/ocsp`],
      caIssuers,
    });
  }
  assert.equal(new Set(certificates.map(({ serialNumber }) => recorded.get(serialNumber))).size, shards);
}

function textOf({ der }: Certificate): string {
  return execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', '-text'], { input: der, encoding: 'utf8' });
}

const first = gate();
const issuedWith3 = await Promise.all(Array.from({ length: 60 }, () => issueOf(first)));

describe('RFC 5280 §4.2.1.13, §4.2.2.1: certificates of a published status', () => {
  it('name responder, issuer and the shard of their serial number, which is recorded', () => {
    assertShards(issuedWith3, 3);
  });

  it('say so to openssl', () => {
    const [certificate] = issuedWith3;
    assert.ok(certificate);
    const text = textOf(certificate);
    assert.match(text, new RegExp(`OCSP - URI:${base}/ocsp\n\\s+CA Issuers - URI:${caIssuers[0]}\n`));
    const points = /X509v3 CRL Distribution Points: \n\s+Full Name:\n\s+URI:(\S+)\n/.exec(text);
    assert.equal(points?.[1], `${base}/crl/${shardIn(3, certificate)}.crl`);
  });

  it('name the CRL of CA certificates when they are a CA’s', async () => {
    const certificate = await approved(first, 'sub-ca');
    assert.equal(recordedScopes().get(certificate.serialNumber), 'issuing-ca');
    assert.deepEqual(locationsOf(certificate), {
      crl: [`${base}/crl/issuing-ca.crl`],
      ocsp: [`${base}/ocsp`],
      caIssuers,
    });
  });

  it('name what their profile names instead, and belong to no shard then', async () => {
    const certificate = await issueOf(first, 'elsewhere');
    assert.deepEqual(locationsOf(certificate), {
      crl: ['http://c.example/1.crl'],
      ocsp: ['http://o.example/'],
      caIssuers,
    });
    assert.equal(recordedScopes().get(certificate.serialNumber), '');
  });
});

describe("RFC 5280 §4.2.1.13: the issuing CA's own certificate", () => {
  it('names the CRL and the certificate of the root, whose CRL the core has', () => {
    const root = readCertificate(new X509Certificate(readFileSync(join(core.directory, 'ca/root.pem'))).raw);
    assert.deepEqual(locationsOf(issuing), {
      crl: [`${base}/crl/root.crl`],
      ocsp: [],
      caIssuers: [issuerUrl(base, root)],
    });
    assert.ok(loadRootCrl(core.directory, root));
  });
});

describe('RFC 9608 §2, §3: certificates without revocation', () => {
  for (const profile of ['tls-server-short-lived', 'tls-client-short-lived']) {
    it(`${profile}: say that nothing is published, name only their issuer, and live for a week at most`, async () => {
      const certificate = await issueOf(first, profile);
      assert.deepEqual(locationsOf(certificate), { ...nowhere, caIssuers });
      assert.equal(extensionOf(certificate, extensionIds.noRevAvail)?.isCritical, false);
      assert.match(textOf(certificate), /X509v3 No Revocation Available: \n/);
      const lifeMs = certificate.notAfter.getTime() - certificate.notBefore.getTime() + 1000;
      assert.ok(lifeMs <= 7 * 86_400_000);
      assert.equal(recordedScopes().get(certificate.serialNumber), '');
    });
  }
});

describe('certificates of an unpublished status', () => {
  it('name nothing: responders and profiles that say so', async () => {
    for (const certificate of [await approved(first, 'ocsp-signing'), await issueOf(first, 'secret')]) {
      assert.deepEqual(locationsOf(certificate), nowhere);
      assert.equal(extensionOf(certificate, extensionIds.noRevAvail), undefined);
      assert.equal(recordedScopes().get(certificate.serialNumber), '');
    }
  });

  it('credentials of the bridge are such', () => {
    const scopes = recordedScopes('service');
    assert.ok(scopes.size > 0);
    assert.deepEqual([...new Set(scopes.values())], ['']);
  });
});

describe('CORE.md, Revocation: the CRL of a certificate is chosen once', () => {
  it('more shards leave what was issued before as it was', async () => {
    const before = recordedScopes();
    const second = await restartWith(configuration(7));
    assertShards(await Promise.all(Array.from({ length: 150 }, () => issueOf(second))), 7);
    const now = recordedScopes();
    for (const [serialNumber, scope] of before) assert.equal(now.get(serialNumber), scope);
    assertShards(issuedWith3, 3);
  });

  it('without shards, certificates name the complete CRL', async () => {
    const certificate = await issueOf(await restartWith(configuration(0)));
    assert.deepEqual(locationsOf(certificate).crl, [`${base}/crl/issuing.crl`]);
    assert.equal(recordedScopes().get(certificate.serialNumber), 'issuing');
  });

  it('without a base URL, certificates name nothing', async () => {
    const certificate = await issueOf(await restartWith('core: {}\n'));
    assert.deepEqual(locationsOf(certificate), nowhere);
    assert.equal(recordedScopes().get(certificate.serialNumber), '');
    assertShards(issuedWith3, 3);
  });
});
