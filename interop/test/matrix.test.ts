import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasPassed, type Matrix, toJson, toMarkdown } from '../src/matrix.ts';
import { chooseOperations, runClients } from '../src/run.ts';
import type { Session } from '../src/session.ts';

const passed = { operation: 'enrols', section: 'RFC 7030 §4.2.1', outcome: { passed: true } } as const;
const failed = { ...passed, outcome: { passed: false, reason: 'a | b\nc' } } as const;
const matrixOf = (...rows: Matrix['proofs']): Matrix => ({
  clients: [{ name: 'curl', gate: 'est', version: '8', rows }],
  proofs: [passed],
});

describe('the matrix', () => {
  it('has passed only when all of it has', () => {
    assert(hasPassed(matrixOf(passed)));
    assert(!hasPassed(matrixOf(passed, failed)));
    assert(!hasPassed({ ...matrixOf(passed), proofs: [failed] }));
  });

  it('has a row for each operation, in one line, with the version of the client', () => {
    const text = toMarkdown(matrixOf(passed, failed));
    assert.match(text, /^\| est \| curl \| 8 \| 2 \| 1 \|$/m);
    assert.match(text, /^\| enrols \| RFC 7030 §4\.2\.1 \| passed \|$/m);
    assert.match(text, /^\| enrols \| RFC 7030 §4\.2\.1 \| \*\*failed\*\*: a \\\| b c \|$/m);
  });

  it('is the same for programs', () => {
    const { clients } = JSON.parse(toJson(matrixOf(passed, failed)));
    assert.deepEqual(clients[0].operations, [
      { operation: 'enrols', section: 'RFC 7030 §4.2.1', result: 'passed' },
      { operation: 'enrols', section: 'RFC 7030 §4.2.1', result: 'failed', reason: 'a | b\nc' },
    ]);
  });
});

describe('a run', () => {
  const session = {} as Session;
  const operation = (name: string, run: () => Promise<void>) => ({ name, section: '-', run });
  const options = { openSession: () => session, concurrency: 2, report: () => undefined };

  it('goes on after a failure, and keeps the order of operations', async () => {
    const operations = [
      operation('fails', () => Promise.reject(new Error('no'))),
      operation('passes', () => Promise.resolve()),
    ];
    const [client] = await runClients({
      ...options,
      clients: [{ name: 'a', gate: 'est', version: async () => '1', operations }],
    });
    assert.deepEqual(client?.rows, [
      { operation: 'fails', section: '-', outcome: { passed: false, reason: 'no' } },
      { operation: 'passes', section: '-', outcome: { passed: true } },
    ]);
  });

  it('is of everything, or of what is named', () => {
    const operations = [operation('enrols', async () => undefined), operation('renews', async () => undefined)];
    const all = ['curl', 'pki'].map((name) => ({ name, gate: 'est', version: async () => '1', operations }) as const);
    const chosen = (...words: readonly string[]) =>
      chooseOperations(all, words).map(({ name, operations: own }) => `${name} ${own.length}`);
    assert.deepEqual(chosen(), ['curl 2', 'pki 2']);
    assert.deepEqual(chosen('pki'), ['pki 2']);
    assert.deepEqual(chosen('renews'), ['curl 1', 'pki 1']);
    assert.deepEqual(chosen('another'), []);
  });

  it('does not begin when a client is missing', async () => {
    let runs = 0;
    const operations = [operation('counts', async () => void runs++)];
    const version = () => Promise.reject(new Error('b is missing'));
    const missing = { name: 'b', gate: 'est', version, operations } as const;
    await assert.rejects(runClients({ ...options, clients: [missing] }), /b is missing/);
    assert.equal(runs, 0);
  });
});
