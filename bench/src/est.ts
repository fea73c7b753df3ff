/** simpleenroll per second at the EST gate: over connections that stay open, and with a new TLS connection each. */
import { Agent, request } from 'node:https';
import { runLoad } from './load.ts';
import { printTable } from './report.ts';
import { at, makeRequests } from './requests.ts';
import { residentMegabytes, type Stack } from './throw-away-stack.ts';

const concurrency = 16;

/** Runs and prints the benchmark. `durationMs` is for each way of connecting. */
export async function benchEst(stack: Stack, durationMs: number): Promise<void> {
  const { est } = stack;
  const authorization = `Basic ${Buffer.from(`${est.username}:${est.password}`).toString('base64')}`;
  const rows: string[][] = [];
  for (const keepAlive of [true, false]) {
    const agent = new Agent({ ca: est.trustAnchor, keepAlive, maxSockets: concurrency, maxCachedSessions: 0 });
    // Each request is new: the gate answers a repeated one with the first certificate.
    const requests = makeRequests(Math.ceil((durationMs / 1000) * 2_500), 'example.com').map((der) =>
      Buffer.from(der).toString('base64'),
    );
    let used = 0;
    const result = await runLoad(concurrency, durationMs, async () => {
      if (used >= requests.length) throw new Error('more requests were answered than were made');
      await post(`${est.url}/.well-known/est/simpleenroll`, agent, authorization, at(requests, used++));
    });
    agent.destroy();
    rows.push([
      keepAlive ? 'kept alive' : 'new each time',
      result.perSecond.toFixed(0),
      result.p50.toFixed(2),
      result.p99.toFixed(2),
    ]);
  }
  printTable(`EST: simpleenroll, ${concurrency} in flight`, ['TLS connection', 'per second', 'p50 ms', 'p99 ms'], rows);
  process.stdout.write(`resident memory of the EST gate: ${residentMegabytes(est.pid) ?? 'unknown'} MB\n\n`);
}

function post(url: string, agent: Agent, authorization: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-type': 'application/pkcs10', 'content-length': body.length };
    const outgoing = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`simpleenroll answered ${answer.statusCode}`)),
      );
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
