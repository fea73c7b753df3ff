// What verification of the audit log can find wrong, in the words of the contract.
// A break names a record and why; it must never carry what the record says.

/** The kinds of break, as the contract has them. */
export type AuditBreakKind = 'altered' | 'missing' | 'truncated' | 'reordered' | 'seal';

/** The first record that does not hold. */
export type AuditBreak = {
  readonly instance: string;
  /** Sequence number of the record; of a seal, the last one that it covers. */
  readonly sequence: number;
  readonly kind: AuditBreakKind;
  /** A sentence for a person. */
  readonly detail: string;
};
