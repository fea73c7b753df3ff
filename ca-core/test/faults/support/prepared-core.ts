// A core in this process on a data directory that already holds a certificate, so that a test can break the directory,
// see the core refuse, mend it, and prove that nothing was lost.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { AdministrationClient, type JoinToken, type VerifyAuditResponse } from '@gatehouse/proto/administration';
import {
  CertificateAuthorityClient,
  type EnrollRequest,
  type EnrollResponse,
} from '@gatehouse/proto/certificate-authority';
import { type CertificateRecord, CertificateState, RequesterKind } from '@gatehouse/proto/types';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { initialize } from '../../../src/initialize.ts';
import { type RunningCore, startCore } from '../../../src/main.ts';
import { channelCredentials, joinWith, unary } from '../../support/running-core.ts';

const log = createLog({ name: 'test', level: 'silent' });
const targetName = { 'grpc.ssl_target_name_override': 'core.gatehouse.internal' };
const registrationAuthority = 'gate';
const credentialFile = 'ra-credential.pem';

/** A data directory with a certificate in it. */
export type PreparedDirectory = {
  readonly path: string;
  /** The request whose certificate is on record. */
  readonly request: EnrollRequest;
  readonly serialNumber: string;
};

/** A core that runs in this process. */
export type LaunchedCore = { readonly running: RunningCore; stop(): Promise<void> };

let template: Promise<PreparedDirectory> | undefined;

/** A copy of a directory in which a core has issued; removed after the test. */
export async function prepareDirectory(context: Pick<TestContext, 'after'>): Promise<PreparedDirectory> {
  template ??= makeTemplate();
  const source = await template;
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-core-faults-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  cpSync(source.path, path, { recursive: true });
  return { ...source, path };
}

/** Starts a core. What a failed start has begun is ended, as the process would: a part that cannot end holds up no other. */
export async function launch(directory: string, set: readonly string[] = []): Promise<LaunchedCore> {
  const stops: (() => void | Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await Promise.try(one).catch(() => undefined);
  };
  try {
    const running = await startCore({ directory, set: ['core.listen.port=0', 'core.management.port=0', ...set] }, log, {
      onShutdown: (_name, one) => stops.push(one),
    });
    return { running, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts a core that must refuse to run; answers the one message that its operator reads. */
export async function launchInVain(directory: string, set?: readonly string[]): Promise<FatalError> {
  const outcome = await launch(directory, set).then(
    async ({ stop }) => {
      await stop();
      return 'it runs';
    },
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof FatalError, `no FatalError but ${outcome instanceof Error ? outcome.stack : outcome}`);
  return outcome;
}

/** The core starts; what was issued before is there, is the answer to its request still, and the chain holds; and it issues. */
export async function assertIntact(prepared: PreparedDirectory): Promise<void> {
  const { path } = prepared;
  const { running, stop } = await launch(path);
  const gate = connectGate(prepared, running.address);
  const operator = new AdministrationClient(running.address, credential(path, 'operators/admin.pem'), targetName);
  try {
    await askAgain(gate, prepared);
    const { firstBreak } = await unary<VerifyAuditResponse>((callback) => operator.verifyAudit({}, callback));
    assert.equal(firstBreak, undefined);
  } finally {
    gate.close();
    operator.close();
    await stop();
  }
}

/** Connects as the RA of a prepared directory. Close the client at the end. */
export function connectGate({ path }: Pick<PreparedDirectory, 'path'>, address: string): CertificateAuthorityClient {
  return new CertificateAuthorityClient(address, credential(path, credentialFile), targetName);
}

/** What was issued is on record and is the answer to its request still; a new request gets a new one. Rejects with CoreError. */
export async function askAgain(
  gate: CertificateAuthorityClient,
  { request, serialNumber }: PreparedDirectory,
): Promise<void> {
  const record = await unary<CertificateRecord>((callback) =>
    gate.getCertificate({ selector: { $case: 'serialNumber', value: serialNumber } }, callback),
  );
  assert.equal(record.state, CertificateState.CERTIFICATE_STATE_VALID);
  const again = await unary<EnrollResponse>((callback) => gate.enroll(request, callback));
  assert.equal(again.isRepeated, true);
  assert.equal(again.outcome?.$case === 'issued' ? again.outcome.value.serialNumber : '', serialNumber);
  const next = await unary<EnrollResponse>((callback) => gate.enroll(newRequest(), callback));
  assert.equal(next.isRepeated, false);
}

async function makeTemplate(): Promise<PreparedDirectory> {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-core-template-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  writeFileSync(join(path, 'gatehouse.yaml'), 'core: {}\n');
  await initialize({ directory: path, log, progress: () => undefined });
  const { running, stop } = await launch(path);
  const operator = new AdministrationClient(running.address, credential(path, 'operators/admin.pem'), targetName);
  const { token } = await unary<JoinToken>((callback) =>
    operator.addRegistrationAuthority(
      {
        registrationAuthority: {
          name: registrationAuthority,
          profiles: ['tls-server'],
          scope: {
            dnsSuffixes: ['example.com'],
            ipRanges: [],
            uriPrefixes: [],
            emailDomains: [],
            subjectAttributes: [],
          },
          maximumValidity: undefined,
          ratePerSecond: 0,
          isDisabled: false,
          createdAt: undefined,
          credentialExpiresAt: undefined,
        },
        tokenLife: undefined,
      },
      callback,
    ),
  );
  operator.close();
  writeFileSync(join(path, credentialFile), await joinWith(running.address, token), { mode: 0o600 });
  const gate = new CertificateAuthorityClient(running.address, credential(path, credentialFile), targetName);
  const request = newRequest();
  const { outcome } = await unary<EnrollResponse>((callback) => gate.enroll(request, callback));
  gate.close();
  await stop();
  assert.ok(outcome?.$case === 'issued');
  return { path, request, serialNumber: outcome.value.serialNumber };
}

let count = 0;

/** A request that nobody has made before. */
export function newRequest(): EnrollRequest {
  count += 1;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificationRequest = createCertificationRequest({
    subject: [],
    key: privateKey,
    names: [{ kind: 'dns', value: `host-${count}.example.com` }],
  });
  return {
    idempotencyKey: `faults-${process.pid}-${count}`,
    profile: 'tls-server',
    subjectKey: { $case: 'certificationRequest', value: Buffer.from(certificationRequest) },
    names: undefined,
    validity: undefined,
    requester: { kind: RequesterKind.REQUESTER_KIND_USER, id: 'tester', address: '', display: '' },
    renews: Buffer.alloc(0),
    evidence: [],
    changesNames: false,
    notBefore: undefined,
    notAfter: undefined,
  };
}

function credential(directory: string, file: string) {
  return channelCredentials(readFileSync(join(directory, file), 'utf8'));
}
