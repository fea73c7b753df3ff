import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authorizeCertificate } from '@gatehouse/gateway-kit/est/certificate-rights';
import type { ClientCertificate } from '@gatehouse/gateway-kit/est/client-certificate';
import { estPolicyShape } from '@gatehouse/gateway-kit/est/configuration';
import type { ForeignAnchor } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { createManufacturer, newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { subjectAlternativeName } from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName } from '@gatehouse/pkix/names';
import type { CertificateRecord } from '@gatehouse/ra-client/client';
import { z } from 'zod';

const maker = createManufacturer('CN=Maker CA');
const labels = collectLabels(z.strictObject(estPolicyShape).parse({ labels: { l: { profile: 'p' } } }));

function newCertificate(subject: string, names: readonly string[]) {
  const extensions = names.length === 0 ? [] : [subjectAlternativeName(names.map(parseGeneralName))];
  return readCertificate(maker.issue({ subject, key: newKey(), extensions }));
}

const own = (subject: string, names: readonly string[] = []): ClientCertificate => ({
  kind: 'own',
  certificate: newCertificate(subject, names),
  record: { profile: 'p' } as CertificateRecord,
  purposes: undefined,
});

const foreign = (subject: string, names: readonly string[] = []): ClientCertificate => ({
  kind: 'foreign',
  certificate: newCertificate(subject, names),
  anchor: { name: 'maker', policyFor: () => undefined } as unknown as ForeignAnchor,
  intermediates: [],
});

/** The names that are refused to the holder of a certificate without a mapping. */
function refusedTo(client: ClientCertificate, subject: string, names: readonly string[] = []): readonly string[] {
  const label = labels.find('l');
  assert.ok(label !== undefined);
  const authorization = authorizeCertificate([], { label, operation: 'simpleenroll' }, client);
  assert.ok(authorization.ok);
  return authorization.right.names({ subject: parseName(subject), names: names.map(parseGeneralName) }, 'l');
}

describe('RFC 7030 §3.3.2: what a certificate may enrol without a mapping', () => {
  const host = ['DNS:host.example'];

  it('is the names that it holds, and some of them', () => {
    for (const client of [own('CN=a,O=x', host), foreign('CN=a,O=x', host)]) {
      assert.deepEqual(refusedTo(client, 'CN=a,O=x', host), []);
      assert.deepEqual(refusedTo(client, 'CN=host.example'), []);
      assert.deepEqual(refusedTo(client, 'CN=b,O=x', ['DNS:other.example']), ['CN=b', 'DNS:other.example']);
    }
  });

  it('is the host that a maker calls its device by, also as an alternative name', () => {
    assert.deepEqual(refusedTo(foreign('CN=host.example'), 'CN=host.example', host), []);
  });

  it('is no alternative name that our own CA did not certify: its holder may have chosen the common name freely', () => {
    assert.deepEqual(refusedTo(own('CN=host.example'), 'CN=host.example', host), host);
  });
});
