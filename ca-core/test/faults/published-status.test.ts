// kill -9 while certificates are revoked and CRLs are made: what was answered is published after the next start, no CRL
// number is taken twice, and what is served is whole.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AdministrationClient, type AuditEvent, type VerifyAuditResponse } from '@gatehouse/proto/administration';
import { CertificateStatusClient } from '@gatehouse/proto/certificate-status';
import { collect } from '../support/enrollment.ts';
import { channelCredentials, unary } from '../support/running-core.ts';
import { entriesOf, fetchCrl, followStatus, readSuccessful } from '../support/status.ts';
import { launch, type PreparedDirectory, prepareDirectory } from './support/prepared-core.ts';

const setting = 'core.status.baseUrl=http://status.example.com';
const rounds = 3;

/** Starts a core in a process of its own that kills itself after so many revocations. */
async function killWhileRevoking({ path }: PreparedDirectory, answers: number): Promise<void> {
  const program = join(import.meta.dirname, 'support/revoke-for-ever.ts');
  const child = spawn(process.execPath, [program, path, setting, String(answers)], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
}

/** Events of CRLs in the order of the log. */
async function crlEvents(operator: AdministrationClient) {
  const events: readonly AuditEvent[] = await collect(
    operator.listAuditEvents({
      action: '',
      serialNumber: '',
      registrationAuthority: '',
      after: undefined,
      before: undefined,
      limit: 0,
      isEverything: true,
    }),
  );
  return events
    .filter(({ action }) => action === 'crl-generated')
    .map(({ body }): { crl: string; number: number } => JSON.parse(body));
}

describe('issue 3: kill -9 while certificates are revoked', () => {
  it('leaves CRLs that are whole, show everything that was answered, and have numbers of their own', async (context) => {
    const prepared = await prepareDirectory(context);
    for (let round = 0; round < rounds; round++) await killWhileRevoking(prepared, 20 + 25 * round);
    const answered = readFileSync(join(prepared.path, 'revoked'), 'utf8').trimEnd().split('\n');
    assert.ok(answered.length >= rounds * 20);

    const { running, stop } = await launch(prepared.path, [setting]);
    const credential = (file: string) => channelCredentials(readFileSync(join(prepared.path, file), 'utf8'));
    const target = { 'grpc.ssl_target_name_override': 'core.gatehouse.internal' };
    const status = new CertificateStatusClient(running.address, credential('ra-credential.pem'), target);
    const operator = new AdministrationClient(running.address, credential('operators/admin.pem'), target);
    try {
      const follower = followStatus(status);
      await follower.until(({ responses }) =>
        answered.every((serialNumber) => {
          if (!responses.has(serialNumber)) return false;
          const [single] = readSuccessful(follower.ocspResponse(serialNumber)).singles;
          return single?.status.kind === 'revoked';
        }),
      );
      for (const scope of ['issuing', 'issuing-1']) {
        await follower.until(({ crls }) => (crls.get(scope)?.entries ?? 0) >= answered.length);
        const { facts, der, crl } = await fetchCrl(status, scope);
        assert.deepEqual(hash('sha256', der, 'buffer'), facts.sha256);
        const entries = entriesOf(crl);
        for (const serialNumber of answered) assert.equal(entries[serialNumber], 4);
      }
      const events = await crlEvents(operator);
      const ofScope = (scope: string) => events.filter(({ crl }) => crl === scope || crl === `${scope}-delta`);
      for (const scope of ['issuing', 'issuing-1', 'issuing-ca']) {
        const numbers = ofScope(scope).map(({ number }) => number);
        assert.equal(new Set(numbers).size, numbers.length);
        const full = events.filter(({ crl }) => crl === scope).map(({ number }) => number);
        assert.deepEqual(
          full,
          full.toSorted((a, b) => a - b),
        );
      }
      const { firstBreak } = await unary<VerifyAuditResponse>((callback) => operator.verifyAudit({}, callback));
      assert.equal(firstBreak, undefined);
      follower.cancel();
    } finally {
      status.close();
      operator.close();
      await stop();
    }
  });
});
