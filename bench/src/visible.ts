/**
 * How long it takes from the answer to Revoke until OCSP says so, and until the CRL that the certificate names lists it,
 * over plain HTTP from the status gate: at rest, while others enrol, and with a complete CRL that is large.
 */
import { readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { readCrlDistributionPoints } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { type CoreClient, connectCore, RevocationReason } from '@gatehouse/ra-client/client';
import { openCredentialFile } from '@gatehouse/ra-client/credential-source';
import type { IssuedEnrollment } from '@gatehouse/ra-client/enrollment';
import { createLog } from '@gatehouse/runtime/log';
import { newDataDirectory } from './data-directory.ts';
import { fillStore } from './filled-store.ts';
import { median } from './median.ts';
import { encodeRequest, fetchOctets, readIssuer, readStatus } from './relying-party.ts';
import { printTable } from './report.ts';
import { at, makeRequests } from './requests.ts';
import { untilLoaded } from './status-gate.ts';
import { addRegistrationAuthority, startUp, stopUp } from './throw-away-stack.ts';

const revocations = 50;
const otherEntries = 200_000;
const enrollmentsInFlight = 16;
const askAgainAfterMs = 1;
const givesUpAfterMs = 30_000;
/** The issue: on one machine. */
const target = 'under 1000 ms';

/** Everything that one row is measured on. */
type Subject = {
  readonly directory: string;
  readonly core: CoreClient;
  readonly issuer: Certificate;
  readonly ocsp: string;
  readonly agent: Agent;
  enroll(): Promise<IssuedEnrollment>;
};

/** Milliseconds of each revocation. */
type Delays = { readonly ocsp: number[]; readonly crl: number[] };

/** Runs and prints the benchmark. */
export async function benchVisible(): Promise<void> {
  const rows: string[][] = [];
  await withSubject(0, async (subject) => {
    rows.push(describe('at rest', await measure(subject)));
    const load = startEnrollments(subject);
    rows.push(describe(`${enrollmentsInFlight} enrollments in flight`, await measure(subject)));
    const perSecond = await load.stop();
    process.stdout.write(`enrollments meanwhile: ${perSecond.toFixed(0)} per second\n`);
    rows.push(describe('one answer of the gate', await measureAnswers(subject)));
  });
  const others = otherEntries.toLocaleString('en');
  await withSubject(otherEntries, async (subject) => {
    rows.push(describe(`${others} others are signed for the first time`, await measure(subject)));
    await untilLoaded(subject.directory, otherEntries);
    rows.push(describe(`complete CRL of ${others} entries`, await measure(subject)));
  });
  printTable(
    `from the answer to Revoke until relying parties see it, ${revocations} revocations, ms; target ${target}`,
    ['', 'OCSP median', 'OCSP longest', 'CRL median', 'CRL longest'],
    rows,
  );
}

/** @param revoked how many certificates are revoked already; they name another CRL */
async function withSubject(revoked: number, use: (subject: Subject) => Promise<void>): Promise<void> {
  const directory = newDataDirectory();
  if (revoked > 0) {
    fillStore(directory, { certificates: revoked, revoked, certificateOctets: 600, crlScope: 'issuing-2' });
  }
  const up = await startUp(directory, '--only', 'status');
  try {
    const { core: endpoint, status } = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
    const file = addRegistrationAuthority(directory, 'bench', 'tls-server', 'example.com');
    const log = createLog({ name: 'bench', level: 'error' });
    const credential = openCredentialFile({ file, log });
    const core = connectCore({ addresses: [endpoint.address], credential, log, renewsCredential: false });
    const agent = new Agent({ keepAlive: true });
    const enroll = enroller(core);
    const subject: Subject = { directory, core, issuer: readIssuer(directory), ocsp: status.ocsp, agent, enroll };
    await use(subject);
    agent.destroy();
    await core.close();
  } finally {
    await stopUp(up);
    rmSync(directory, { recursive: true, force: true });
  }
}

function enroller(core: CoreClient): () => Promise<IssuedEnrollment> {
  const requests = makeRequests(256, 'example.com');
  let count = 0;
  return async () => {
    const outcome = await core.enroll({
      idempotencyKey: `bench-${process.pid}-${count}`,
      profile: 'tls-server',
      subjectKey: { kind: 'certification-request', der: at(requests, count++) },
      requester: { kind: 'user', id: 'bench' },
    });
    if (outcome.kind !== 'issued') throw new Error('the enrollment is pending');
    return outcome;
  };
}

async function measure(subject: Subject): Promise<Delays> {
  const delays: Delays = { ocsp: [], crl: [] };
  for (let revocation = 0; revocation < revocations; revocation++) {
    const { serialNumber, certificate } = await subject.enroll();
    await untilSeen(subject, serialNumber, 'good');
    const url = distributionPointOf(certificate);
    await subject.core.revoke({ serialNumber, reason: RevocationReason.REVOCATION_REASON_SUPERSEDED });
    const answeredAt = performance.now();
    await Promise.all([
      untilSeen(subject, serialNumber, 'revoked').then(() => delays.ocsp.push(performance.now() - answeredAt)),
      untilListed(subject, serialNumber, url).then(() => delays.crl.push(performance.now() - answeredAt)),
    ]);
  }
  return delays;
}

/** What is lost between two questions at most, beside the pause: the floor of all other figures. */
async function measureAnswers(subject: Subject): Promise<Delays> {
  const { serialNumber, certificate } = await subject.enroll();
  const url = distributionPointOf(certificate);
  await untilSeen(subject, serialNumber, 'good');
  const delays: Delays = { ocsp: [], crl: [] };
  for (let repetition = 0; repetition < revocations; repetition++) {
    const startedAt = performance.now();
    await untilSeen(subject, serialNumber, 'good');
    delays.ocsp.push(performance.now() - startedAt);
    const askedAt = performance.now();
    readCertificateList(await fetchOctets(url, subject.agent));
    delays.crl.push(performance.now() - askedAt);
  }
  return delays;
}

async function untilSeen(
  { ocsp, issuer, agent }: Subject,
  serialNumber: string,
  status: 'good' | 'revoked',
): Promise<void> {
  const url = `${ocsp}/${encodeRequest(issuer, serialNumber)}`;
  await until(`OCSP says ${status}`, async () => readStatus(await fetchOctets(url, agent), issuer) === status);
}

async function untilListed({ agent }: Subject, serialNumber: string, url: string): Promise<void> {
  await until(`${url} lists it`, async () => {
    for (const entry of readCertificateList(await fetchOctets(url, agent)).entries()) {
      if (entry.serialNumber === serialNumber) return true;
    }
    return false;
  });
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + givesUpAfterMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${givesUpAfterMs} ms: ${what}`);
    await pause(askAgainAfterMs);
  }
}

function startEnrollments({ enroll }: Subject): { stop(): Promise<number> } {
  let isStopping = false;
  const startedAt = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    for (; !isStopping; count++) await enroll();
  };
  const workers = Promise.all(Array.from({ length: enrollmentsInFlight }, worker));
  return {
    async stop() {
      isStopping = true;
      await workers;
      return (count * 1000) / (performance.now() - startedAt);
    },
  };
}

function distributionPointOf(der: Uint8Array): string {
  const extension = extensionOf(readCertificate(der), extensionIds.crlDistributionPoints);
  const [url] = extension === undefined ? [] : readCrlDistributionPoints(extension.value);
  if (url === undefined) throw new Error('the certificate names no CRL');
  return url;
}

function describe(name: string, { ocsp, crl }: Delays): string[] {
  const figures = [ocsp, crl].flatMap((delays) => [median(delays), Math.max(...delays)]);
  return [name, ...figures.map((figure) => figure.toFixed(1))];
}
