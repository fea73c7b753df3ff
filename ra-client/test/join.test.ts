import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';
import type { JoinRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { parseJoinToken } from '@gatehouse/ra-client/join-token';
import { FatalError } from '@gatehouse/runtime/fatal';
import fc from 'fast-check';
import { createServiceAuthority, silentLog, startTestCore } from './support/test-core.ts';

const authority = createServiceAuthority();
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-join-'));
after(() => rmSync(directory, { recursive: true }));

function createToken(addresses: readonly string[], path = 'join/7', notAfter?: Date): string {
  const { certificate, privateKey } = authority.credential(path, notAfter === undefined ? {} : { notAfter });
  const fields = {
    v: 1,
    core: addresses,
    anchor: Buffer.from(authority.certificate).toString('base64'),
    certificate: Buffer.from(certificate).toString('base64'),
    key: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  };
  return `gh-join.${Buffer.from(JSON.stringify(fields)).toString('base64url')}`;
}

describe('Issue 2 §3: the first credential is bought with a join token', () => {
  it('shows the token, gets a credential for a key of its own, and keeps it with mode 0600', async () => {
    const core = await startTestCore(authority, {
      join: ({ certificationRequest }: JoinRequest) =>
        authority.wireCredential('ra/est-dmz', readCertificationRequest(certificationRequest).subjectPublicKeyInfo),
    });
    const file = join(directory, 'credential.pem');
    const joined = await joinWithToken({ token: ` ${createToken([core.address])}\n`, file, log: silentLog });
    assert.equal(joined.name, 'est-dmz');
    assert.deepEqual(joined.addresses, [core.address]);
    assert.equal(loadCredential(file).party.uri, 'spiffe://gatehouse.internal/ra/est-dmz');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    core.stop();
  });

  it('buys the credential of a perspective with a token that is for one', async () => {
    const core = await startTestCore(authority, {
      join: ({ certificationRequest }: JoinRequest) =>
        authority.wireCredential(
          'perspective/dublin',
          readCertificationRequest(certificationRequest).subjectPublicKeyInfo,
        ),
    });
    const file = join(directory, 'perspective.pem');
    const { kind, name } = await joinWithToken({ token: createToken([core.address]), file, log: silentLog });
    assert.deepEqual({ kind, name }, { kind: 'perspective', name: 'dublin' });
    core.stop();
  });

  it('passes on the refusal of a token that was used before, and writes nothing', async () => {
    const core = await startTestCore(authority, {
      join: () => {
        throw new CoreError('unauthorized', 'this join token was used before');
      },
    });
    const file = join(directory, 'refused.pem');
    const attempt = joinWithToken({ token: createToken([core.address]), file, log: silentLog });
    await assert.rejects(attempt, {
      name: 'CoreError',
      code: 'unauthorized',
      detail: 'this join token was used before',
    });
    assert.throws(() => statSync(file));
    core.stop();
  });

  it('says that a token is late, which does not get as far as the core', async () => {
    const core = await startTestCore(authority, {});
    const file = join(directory, 'late.pem');
    const token = createToken([core.address], 'join/7', new Date(Date.now() - 1_000));
    await assert.rejects(joinWithToken({ token, file, log: silentLog }), {
      name: 'CoreError',
      code: 'unauthorized',
      detail: 'the join token has expired',
    });
    assert.throws(() => statSync(file));
    core.stop();
  });

  it('refuses a token whose certificate is not that of a token', () => {
    assert.throws(() => parseJoinToken(createToken(['127.0.0.1:1'], 'ra/est')), /not that of a join token/);
  });

  it('refuses any other text with one clear message', () => {
    const token = createToken(['127.0.0.1:1']);
    assert.equal(parseJoinToken(token).credential.party.kind, 'join');
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 8 }), (at, filling) => {
        const text = token.slice(0, at) + filling + token.slice(at + filling.length);
        try {
          parseJoinToken(text);
        } catch (error) {
          assert.ok(error instanceof FatalError && error.message.startsWith('this is not a join token'));
        }
      }),
    );
    assert.throws(() => parseJoinToken(''), FatalError);
    assert.throws(() => parseJoinToken(`gh-join.${'A'.repeat(100_000)}`), /too long/);
  });
});
