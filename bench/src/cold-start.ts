/** Time from the command to `ready`, and on an empty directory to the first certificate. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printTable } from './report.ts';
import { at, makeRequests } from './requests.ts';
import { startUp, stopUp } from './throw-away-stack.ts';

/** Runs and prints the benchmark: `repetitions` first starts and as many later ones; medians count. */
export async function benchColdStart(repetitions: number): Promise<void> {
  const certificates = makeRequests(1, 'example.com');
  const firstCertificate: number[] = [];
  const laterReady: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
    let startedAt = performance.now();
    const first = await startUp(directory);
    await enrollOnce(directory, Buffer.from(at(certificates, 0)).toString('base64'));
    firstCertificate.push(performance.now() - startedAt);
    await stopUp(first);
    startedAt = performance.now();
    const later = await startUp(directory);
    laterReady.push(performance.now() - startedAt);
    await stopUp(later);
    rmSync(directory, { recursive: true, force: true });
  }
  printTable(
    `start of 'gatehouse up', median of ${repetitions}`,
    ['what', 'seconds', 'target'],
    [
      ['existing directory to ready', median(laterReady), 'under 5'],
      ['empty directory to the first certificate', median(firstCertificate), 'under 10'],
    ],
  );
}

function median(times: number[]): string {
  times.sort((a, b) => a - b);
  return (at(times, Math.floor(times.length / 2)) / 1000).toFixed(2);
}

async function enrollOnce(directory: string, body: string): Promise<void> {
  const endpoints = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const agent = new Agent({ ca: readFileSync(join(directory, endpoints.trustAnchor)) });
  const status = await new Promise((resolve, reject) => {
    const outgoing = request(
      `${endpoints.est.url}/.well-known/est/simpleenroll`,
      {
        method: 'POST',
        agent,
        auth: `${endpoints.est.username}:${endpoints.est.password}`,
        headers: { 'content-type': 'application/pkcs10', 'content-length': body.length },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  agent.destroy();
  if (status !== 200) throw new Error(`simpleenroll answered ${status}`);
}
