import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { foreignBytes } from '@gatehouse/gateway-kit/test-support/foreign-bytes';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { CoreError, type CoreErrorType } from '@gatehouse/ra-client/core-error';
import { createLog } from '@gatehouse/runtime/log';
import fc from 'fast-check';
import type { Identify } from '../../src/authenticate.ts';
import { fullCmc } from '../../src/cmc/full-cmc.ts';
import { createSharedSecretJudge } from '../../src/cmc/shared-secret-judge.ts';
import { HttpRefusal } from '../../src/errors.ts';
import type { EstAnswer, EstExchange } from '../../src/exchange.ts';
import type { EstGate } from '../../src/gate.ts';
import { noSharedSecrets } from '../../src/shared-secrets.ts';
import { holdUsers } from '../../src/users.ts';
import { pkiData, readFullResponse, selfSignedCertificate, signedByRequestKey, tcr } from '../support/cmc.ts';

const key = newKey();
const gateKey = newKey();
const gateCertificate = selfSignedCertificate(gateKey, 'CN=gate');
const message = signedByRequestKey(key, pkiData([tcr(1, requestWithIdentifier())]));

function requestWithIdentifier(): Uint8Array {
  const { extensions } = selfSignedCertificate(key, 'CN=request key');
  return newRequest({ names: ['DNS:a.example.com'], key, extensions });
}

/** A gate whose keep fails. */
function failingGate(error: Error): EstGate {
  const clock = { now: () => new Date() };
  const guard = { admit: () => {}, failed: () => {}, succeeded: () => {} };
  const fail = async () => {
    throw error;
  };
  const gate = {
    protocol: 'est',
    clock,
    core: { enroll: fail, getCertificate: fail, getEnrollment: fail },
    profiles: { get: fail },
    signingIdentity: () => ({ certificate: gateCertificate, key: gateKey, certificates: [gateCertificate.der] }),
    sharedSecrets: createSharedSecretJudge({ secrets: noSharedSecrets, users: holdUsers([]), guard, clock }),
  };
  return gate as unknown as EstGate;
}

const nobody: Identify = async () => {
  throw new HttpRefusal('unauthenticated', 'authentication is required', { headers: { 'www-authenticate': 'Basic' } });
};
const anybody: Identify = async () => ({ isRegistrationAuthority: false }) as Awaited<ReturnType<Identify>>;

function ask(body: Uint8Array, identify: Identify, gate = failingGate(new CoreError('unavailable', 'away'))) {
  const exchange = {
    requestId: 'test',
    log: createLog({ name: 'test', level: 'silent' }),
    operation: 'fullcmc',
    label: { name: 'default', profile: 'tls-server' },
    body,
    peer: { remoteAddress: '127.0.0.1', chain: [] },
    note: () => {},
  };
  return fullCmc(gate, exchange as unknown as EstExchange, identify);
}

function read({ status, contentType, body = '', headers = {} }: EstAnswer) {
  const response = readFullResponse({ status, body, headers: { ...headers, 'content-type': contentType } });
  return { ...response, status, headers };
}

describe('RFC 7030 §4.3.2: refusals of fullcmc', () => {
  it('are CMC responses with a 4xx, whatever the octets of the message', async () => {
    await fc.assert(
      fc.asyncProperty(foreignBytes(message), async (bytes) => {
        // Octets that begin a SEQUENCE are DER; others would be taken for base64.
        const { status, statuses } = read(await ask(Buffer.concat([Buffer.of(0x30), bytes.subarray(1)]), nobody));
        assert.ok(status >= 400 && status < 500 && statuses.length > 0);
      }),
      { numRuns: 400 },
    );
  });

  it('have the fail info and the HTTP status of what the keep says', async () => {
    const rows: readonly (readonly [CoreErrorType, number, number])[] = [
      ['unavailable', 503, 12],
      ['rate-limited', 429, 12],
      ['internal', 500, 11],
      ['unauthorized', 403, 11],
      ['profile-unknown', 500, 11],
      ['evidence-missing', 403, 7],
      ['conflict', 409, 2],
    ];
    for (const [code, httpStatus, failInfo] of rows) {
      const { status, statuses, headers } = read(
        await ask(message, anybody, failingGate(new CoreError(code, 'detail'))),
      );
      assert.deepEqual([status, statuses[0]?.failInfo], [httpStatus, failInfo], code);
      assert.equal('retry-after' in headers, failInfo === 12, code);
    }
  });

  it('tell no more of what broke in the keep than the incident', async () => {
    const error = new CoreError('internal', 'the database at /somewhere is gone', { incident: 'I-7' });
    const { statuses } = read(await ask(message, anybody, failingGate(error)));
    assert.equal(statuses[0]?.statusString, 'internal error, incident I-7');
  });

  it('are not made of defects: those stay errors for the log', async () => {
    const defect = new TypeError('undefined is not a function');
    await assert.rejects(ask(message, anybody, failingGate(defect)), defect);
  });

  it('are 413 and no CMC when a message is too large', async () => {
    const large = Buffer.alloc(65_537, 0x30);
    await assert.rejects(ask(large, nobody), (error) => error instanceof EstError && error.code === 'too-large');
  });
});
