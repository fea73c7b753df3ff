/** What `gatehouse enrollment` does: the decisions that only a person makes. */
import type { PendingEnrollment } from '@gatehouse/ra-client/administration';
import { nameText, requesterName } from './certificate-view.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { formatTime, print, printJson, printTable } from './output.ts';

/** Of `enrollment approve` and `reject`. */
export type DecisionOptions = OperatorOptions & { readonly reason: string };

/** Lists what waits. */
export async function listEnrollments(options: OperatorOptions): Promise<void> {
  const pending = await asOperator(options, ({ administration }) => administration.listPendingEnrollments());
  if (options.json === true) {
    printJson(pending.map(describe));
    return;
  }
  printTable(
    pending,
    [
      ['request', ({ requestId }) => requestId],
      ['since', ({ requestedAt }) => formatTime(requestedAt)],
      ['profile', ({ profile }) => profile],
      ['RA', ({ registrationAuthority }) => registrationAuthority],
      ['requester', ({ requester }) => requesterName(requester)],
      ['subject', ({ subject }) => subject || '-'],
      ['names', ({ names }) => names.map(nameText).join(' ') || '-'],
    ],
    'nothing waits',
  );
}

/** Approves; the core judges again. */
export async function approveEnrollment(requestId: string, options: DecisionOptions): Promise<void> {
  const outcome = await asOperator(options, ({ administration }) =>
    administration.approveEnrollment(requestId, options.reason),
  );
  if (options.json === true) {
    const { kind } = outcome;
    printJson(
      kind === 'issued'
        ? { requestId, outcome: kind, serialNumber: outcome.serialNumber }
        : { requestId, outcome: kind },
    );
  } else if (outcome.kind === 'issued') {
    print(`issued ${outcome.serialNumber}; the client gets it when it asks again`);
  } else {
    print(`${requestId} still waits`);
  }
}

/** Rejects. */
export async function rejectEnrollment(requestId: string, options: DecisionOptions): Promise<void> {
  await asOperator(options, ({ administration }) => administration.rejectEnrollment(requestId, options.reason));
  if (options.json === true) printJson({ requestId, outcome: 'rejected' });
  else print(`rejected ${requestId}; the client is told why when it asks again`);
}

function describe(pending: PendingEnrollment): unknown {
  return { ...pending, requester: requesterName(pending.requester), names: pending.names.map(nameText) };
}
