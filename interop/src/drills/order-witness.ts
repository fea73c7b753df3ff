// Looks at every answer that clients get: what the gate has once shown of an order it never takes back (acme.md §3), and
// the only fault of its own that it ever admits is 503, with the time after which to come again, as a problem document.

import type { PatientAnswer } from '../acme/patient-client.ts';

/** What was seen. */
export type OrderWitness = {
  /** To be told every answer. */
  see(url: string, answer: PatientAnswer): void;
  /** Answers that must not be. */
  readonly offences: readonly string[];
  /** How many answers had each status. */
  readonly statuses: ReadonlyMap<number, number>;
};

const ranks: Readonly<Record<string, number>> = { pending: 0, ready: 1, processing: 2, valid: 3, invalid: 3 };

/** Makes one. */
export function createOrderWitness(): OrderWitness {
  const shown = new Map<string, string>();
  const offences: string[] = [];
  const statuses = new Map<number, number>();

  const judgeOrder = (url: string, { status, body }: PatientAnswer): void => {
    if (status !== 200 || !/\/acme\/order\/[^/]+$/.test(url)) return;
    const { status: now } = JSON.parse(body);
    const before = shown.get(url);
    if (before !== undefined && before !== now && (ranks[before] ?? 0) >= (ranks[now] ?? 0)) {
      offences.push(`${url} was ${before} and is ${now}`);
    }
    shown.set(url, now);
  };
  return {
    offences,
    statuses,
    see: (url, answer) => {
      const { status, headers, body } = answer;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 500) {
        const isProper =
          status === 503 &&
          headers['content-type'] === 'application/problem+json' &&
          /^[1-9][0-9]*$/.test(String(headers['retry-after']));
        if (!isProper) offences.push(`${url} answered ${status}: ${body}`);
      }
      judgeOrder(url, answer);
    },
  };
}
