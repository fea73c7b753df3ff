/**
 * Enrollments per second of the whole pipeline over real mTLS gRPC with durable storage, one gate connection, beside the
 * crypto limit of the same machine measured just before each run.
 */
import { connectCore } from '@gatehouse/ra-client/client';
import { openCredentialFile } from '@gatehouse/ra-client/credential-source';
import { createLog } from '@gatehouse/runtime/log';
import { cryptoLimit } from './crypto-limit.ts';
import { runLoad } from './load.ts';
import { printTable } from './report.ts';
import { at, makeRequests } from './requests.ts';
import { residentMegabytes, type Stack } from './throw-away-stack.ts';

const concurrencies = [1, 16, 64] as const;
/** ARCHITECTURE §7 and the issue: the whole pipeline at a quarter of what the bare signatures allow. */
const targetShare = 0.25;

/** Runs and prints the benchmark. `durationMs` is for each concurrency. */
export async function benchCore(stack: Stack, durationMs: number): Promise<void> {
  const log = createLog({ name: 'bench', level: 'error' });
  const file = stack.addRegistrationAuthority('bench', 'tls-server', 'example.com');
  const core = connectCore({
    addresses: [stack.core.address],
    credential: openCredentialFile({ file, log }),
    log,
    renewsCredential: false,
  });
  const requests = makeRequests(256, 'example.com');
  const run = `${process.pid}-${Date.now()}`;
  const enroll = async (index: number): Promise<void> => {
    const outcome = await core.enroll({
      idempotencyKey: `bench-${run}-${index}`,
      profile: 'tls-server',
      subjectKey: { kind: 'certification-request', der: at(requests, index) },
      requester: { kind: 'user', id: 'bench' },
    });
    if (outcome.kind !== 'issued') throw new Error('the enrollment is pending');
  };
  // The just-in-time compiler is not what is measured.
  await runLoad(64, durationMs, enroll);
  const rows: string[][] = [];
  for (const [round, concurrency] of concurrencies.entries()) {
    const limit = cryptoLimit(at(requests, 0), 1_500);
    const offset = (round + 1) * 1_000_000;
    const result = await runLoad(concurrency, durationMs, (index) => enroll(offset + index));
    const share = result.perSecond / limit;
    rows.push([
      String(concurrency),
      result.perSecond.toFixed(0),
      result.p50.toFixed(2),
      result.p99.toFixed(2),
      limit.toFixed(0),
      share.toFixed(3),
      concurrency === 64
        ? share >= targetShare
          ? 'met'
          : `missed by ${((1 - share / targetShare) * 100).toFixed(0)} %`
        : '',
    ]);
  }
  printTable(
    'core: enrollments over mTLS gRPC, policy, lint, audit and durable commit included',
    [
      'in flight',
      'per second',
      'p50 ms',
      'p99 ms',
      'verify+sign per second, one core',
      'share',
      `target ${targetShare}`,
    ],
    rows,
  );
  process.stdout.write(`resident memory of the core: ${residentMegabytes(stack.core.pid) ?? 'unknown'} MB\n\n`);
  await core.close();
}
