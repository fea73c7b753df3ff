// Figures of validation from several perspectives (mpic.md §4). Perspectives are labels: they are as few as the operator
// registered; names of clients never are.

import type { Counter, Metrics } from '@gatehouse/runtime/metrics';

/** The figures. */
export type ValidationMetrics = {
  readonly checks: Counter<'check' | 'verdict'>;
  readonly disagreements: Counter<'perspective' | 'check'>;
  readonly unanswered: Counter<'perspective'>;
};

/** Creates them, with a gauge of the perspectives that are left out. */
export function createValidationMetrics(metrics: Metrics, open: () => readonly string[]): ValidationMetrics {
  metrics.gauge({
    name: 'perspectives_left_out',
    help: 'Perspectives that did not answer and are left out of new attempts where others are enough.',
    collect: (gauge) => gauge.set(open().length),
  });
  return {
    checks: metrics.counter({
      name: 'mpic_checks_total',
      help: 'Checks of names by the primary and remote perspectives, by what came of them.',
      labels: ['check', 'verdict'],
    }),
    disagreements: metrics.counter({
      name: 'mpic_disagreements_total',
      help: 'Statements of a remote perspective that found otherwise than the primary, which passed the check.',
      labels: ['perspective', 'check'],
    }),
    unanswered: metrics.counter({
      name: 'mpic_unanswered_total',
      help: 'Questions to a remote perspective without a statement that is believed.',
      labels: ['perspective'],
    }),
  };
}
