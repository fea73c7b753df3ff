// Answers that are streamed: as fast as the reader takes them, as long as it wants them, and no longer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import type { RegistrationAuthority } from '@gatehouse/proto/administration';
import { FindCertificatesRequest } from '@gatehouse/proto/certificate-authority';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  collect,
  enrollRequest,
  issue,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const gate = await core.joinRegistrationAuthority({ name: 'gate', profiles: ['tls-server'], dns: ['example.com'] });
const count = 800;
const csr = certificationRequest({ names: Array.from({ length: 40 }, (_, index) => `DNS:host-${index}.example.com`) });
for (let issued = 0; issued < count; issued += 100) {
  await Promise.all(Array.from({ length: 100 }, () => issue(gate, enrollRequest(csr))));
}
const all = FindCertificatesRequest.fromPartial({ limit: 10_000, profile: 'tls-server' });

const warnings: string[] = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));

describe('a stream', () => {
  it('brings everything to a reader that pauses', async () => {
    const stream = gate.findCertificates(all);
    let seen = 0;
    stream.on('data', () => {
      seen += 1;
      if (seen % 200 !== 0) return;
      stream.pause();
      setImmediate(() => stream.resume());
    });
    await once(stream, 'end');
    assert.equal(seen, count);
  });

  it('brings everything to five readers at once, beside enrollments', async () => {
    const [streams] = await Promise.all([
      Promise.all(Array.from({ length: 5 }, () => collect(gate.findCertificates(all)))),
      Promise.all(Array.from({ length: 20 }, () => issue(gate, enrollRequest(csr)))),
    ]);
    for (const found of streams) {
      assert.ok(found.length >= count);
      assert.equal(new Set(found.map(({ serialNumber }) => serialNumber)).size, found.length);
    }
  });

  it('ends when its reader has seen enough, and the connection goes on', async () => {
    const stream = gate.findCertificates(all);
    await once(stream, 'data');
    const { promise, resolve } = Promise.withResolvers<unknown>();
    stream.on('error', resolve);
    stream.cancel();
    assert.match(String(await promise), /CANCELLED/);
    await issue(gate, enrollRequest(csr));
  });

  it('ends when its connection is cut off, and the core goes on', async () => {
    const registration = { name: 'leaving', profiles: ['tls-server'], dns: ['example.com'] };
    const client = await core.joinRegistrationAuthority(registration);
    for (let issued = 0; issued < 200; issued += 50) {
      await Promise.all(Array.from({ length: 50 }, () => issue(client, enrollRequest(csr))));
    }
    const stream = client.findCertificates(all);
    await once(stream, 'data');
    stream.pause();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    stream.on('error', resolve);
    await unary<RegistrationAuthority>((callback) =>
      core.operator.administration.disableRegistrationAuthority({ name: 'leaving' }, callback),
    );
    stream.resume();
    assert.match(String(await promise), /UNAVAILABLE|CANCELLED/);
    await issue(gate, enrollRequest(csr));
  });

  it('of the whole audit log brings every record, in order', async () => {
    const events = await auditEvents(core, { isEverything: true });
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
    );
  });

  it('leaves nothing behind: no listener for each time that it had to wait', () => {
    assert.deepEqual(warnings, []);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
