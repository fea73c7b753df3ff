// The matrix of clients and operations, as people read it and as programs read it. It holds no times, ports or paths, so
// that a run that proves the same writes the same files.

import type { Gate } from './client.ts';

/** How an operation went. */
export type Outcome = { readonly passed: true } | { readonly passed: false; readonly reason: string };

/** One cell. */
export type MatrixRow = {
  readonly operation: string;
  readonly section: string;
  readonly outcome: Outcome;
};

/** One client with its version. */
export type MatrixClient = {
  readonly name: string;
  readonly gate: Gate;
  readonly version: string;
  readonly rows: readonly MatrixRow[];
};

/** All of it. */
export type Matrix = {
  readonly clients: readonly MatrixClient[];
  /** What is proved of the stack as a whole when the clients are done. */
  readonly proofs: readonly MatrixRow[];
};

/** Whether nothing failed. */
export function hasPassed({ clients, proofs }: Matrix): boolean {
  return [...clients.flatMap(({ rows }) => rows), ...proofs].every(({ outcome }) => outcome.passed);
}

/** The matrix for programs. */
export function toJson({ clients, proofs }: Matrix): string {
  const cell = ({ operation, section, outcome }: MatrixRow) => ({
    operation,
    section,
    result: outcome.passed ? 'passed' : 'failed',
    ...(outcome.passed ? {} : { reason: outcome.reason }),
  });
  const document = {
    clients: clients.map(({ name, gate, version, rows }) => ({ name, gate, version, operations: rows.map(cell) })),
    proofs: proofs.map(cell),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The matrix for people, in Markdown. */
export function toMarkdown({ clients, proofs }: Matrix): string {
  return [
    '# Stock clients against the gates',
    '',
    'Written by `npm run interop`: each client, unmodified, against a stack started by `gatehouse up`. Every certificate that',
    'a client was issued is verified by `openssl verify -x509_strict` against the trust anchor, and its status is asked for',
    'where the certificate says.',
    '',
    '| gate | client | version | operations | passed |',
    '| --- | --- | --- | ---: | ---: |',
    ...clients.map(
      ({ name, gate, version, rows }) =>
        `| ${gate} | ${name} | ${version} | ${rows.length} | ${rows.filter(isPassed).length} |`,
    ),
    ...clients.flatMap(({ name, version, rows }) => ['', `## ${name} ${version}`, '', ...table(rows)]),
    '',
    '## The stack as a whole',
    '',
    ...table(proofs),
    '',
  ].join('\n');
}

function table(rows: readonly MatrixRow[]): readonly string[] {
  return [
    '| operation | section | result |',
    '| --- | --- | --- |',
    ...rows.map(({ operation, section, outcome }) => {
      const result = outcome.passed ? 'passed' : `**failed**: ${outcome.reason}`;
      return `| ${[operation, section, result].map(escapeCell).join(' | ')} |`;
    }),
  ];
}

function isPassed({ outcome }: MatrixRow): boolean {
  return outcome.passed;
}

function escapeCell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
