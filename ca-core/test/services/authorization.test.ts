// Which kind of caller may use which rpc, over the wire: the table of registry/authorization.ts, and nothing beside it.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { AdministrationService, type JoinToken } from '@gatehouse/proto/administration';
import { CertificateAuthorityService } from '@gatehouse/proto/certificate-authority';
import { CertificateStatusService } from '@gatehouse/proto/certificate-status';
import { type CoreError, fromServiceError } from '@gatehouse/proto/core-error';
import { DomainValidationService } from '@gatehouse/proto/domain-validation';
import type { Client } from '@grpc/grpc-js';
import { authorizedKinds } from '../../src/registry/authorization.ts';
import { type CallerKind, callerKinds, callerUri } from '../../src/registry/caller.ts';
import { authoritiesOf, makeCredential } from '../support/credentials.ts';
import { assertAuditHolds, auditEvents, refused } from '../support/enrollment.ts';
import { addPerspective } from '../support/perspectives.ts';
import { addRequest, credentialOfToken, startTestCore, unary } from '../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());

const { token } = await unary<JoinToken>((callback) =>
  core.operator.administration.addRegistrationAuthority(addRequest({ name: 'joining', profiles: [] }), callback),
);
const { service } = authoritiesOf(core.directory);
await addPerspective(core, 'east');
const perspective = makeCredential(service, callerUri('perspective', 'east'));
const clients: Readonly<Record<CallerKind, Client>> = {
  gate: await core.joinRegistrationAuthority({ name: 'gate', profiles: ['tls-server'] }),
  perspective: core.connect(perspective).authority,
  operator: core.operator.authority,
  join: core.connect(credentialOfToken(token)).authority,
};

const methods = [
  CertificateAuthorityService,
  CertificateStatusService,
  DomainValidationService,
  AdministrationService,
].flatMap((definition) => Object.values(definition));

/** Calls an rpc with an empty message; what it comes to, as far as it is an error. */
function callEmpty(client: Client, path: string, isStream: boolean): Promise<CoreError | undefined> {
  const octets = (value: Buffer): Buffer => value;
  const { promise, resolve } = Promise.withResolvers<CoreError | undefined>();
  if (isStream) {
    const stream = client.makeServerStreamRequest(path, octets, octets, Buffer.alloc(0));
    // What has an answer at all is allowed; some streams never end by themselves.
    stream.on('data', () => {
      resolve(undefined);
      stream.cancel();
    });
    stream.on('error', (error) => resolve(fromServiceError(error as Parameters<typeof fromServiceError>[0])));
    stream.on('end', () => resolve(undefined));
  } else {
    client.makeUnaryRequest(path, octets, octets, Buffer.alloc(0), (error) =>
      resolve(error === null ? undefined : fromServiceError(error)),
    );
  }
  return promise;
}

for (const kind of callerKinds) {
  describe(`a caller of kind ${kind}`, () => {
    for (const { path, responseStream } of methods) {
      const isAllowed = authorizedKinds[path]?.includes(kind) === true;
      it(`${isAllowed ? 'may' : 'may not'} call ${path.replace('/gatehouse.ca.v1.', '')}`, async () => {
        const error = await callEmpty(clients[kind], path, responseStream);
        assert.equal(error?.code === 'unauthorized', !isAllowed, error?.message ?? 'no error');
      });
    }
  });
}

describe('an rpc that is not in the contract', () => {
  for (const path of [
    '/gatehouse.ca.v1.CertificateAuthority/Sign',
    '/gatehouse.ca.v2.CertificateAuthority/Enroll',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/',
    '/gatehouse.ca.v1.CertificateAuthority/constructor',
    '/gatehouse.ca.v1.CertificateAuthority/enroll',
  ]) {
    it(`is refused to everybody: ${path}`, async () => {
      for (const client of Object.values(clients)) {
        const error = await callEmpty(client, path, false);
        assert.equal(error?.code, 'unauthorized');
        assert.match(String(error?.cause), /UNIMPLEMENTED/);
      }
    });
  }
});

describe('a caller that asks for what its kind may not', () => {
  it('is audited, once a minute for each rpc', async () => {
    const { path } = AdministrationService.approveEnrollment;
    for (let again = 0; again < 3; again++) await callEmpty(clients.gate, path, false);
    const events = await auditEvents(core, { action: 'caller-refused', registrationAuthority: 'gate' });
    const [event, ...more] = events.filter(({ body }) => JSON.parse(body).rpc === 'ApproveEnrollment');
    assert.deepEqual(more, []);
    assert.deepEqual([event?.actor, event?.outcome], ['spiffe://gatehouse.internal/ra/gate', 'unauthorized']);
  });

  it('an operator that the core does not know is refused everything', async () => {
    const unknown = core.connect(makeCredential(service, callerUri('operator', 'mallory')));
    await refused(
      unary((callback) => unknown.administration.listAuthorities({}, callback)),
      'unauthorized',
      /mallory/,
    );
  });

  it('a perspective that the core does not know is refused everything', async () => {
    const unknown = core.connect(makeCredential(service, callerUri('perspective', 'mallory')));
    await refused(
      unary((callback) => unknown.authority.getTrustBundle({}, callback)),
      'unauthorized',
      /mallory/,
    );
  });

  it('an RA that the core does not know is refused everything', async () => {
    const unknown = core.connect(makeCredential(service, callerUri('gate', 'mallory')));
    await refused(
      unary((callback) => unknown.authority.getTrustBundle({}, callback)),
      'unauthorized',
      /mallory/,
    );
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
