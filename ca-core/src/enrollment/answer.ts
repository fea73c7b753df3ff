/** What an enrollment that was not refused comes to. */
export type EnrollmentAnswer = IssuedAnswer | PendingAnswer;

export type IssuedAnswer = {
  readonly kind: 'issued';
  readonly requestId: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER; issuing CA first, trust anchor last. */
  readonly chain: readonly Uint8Array[];
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isRepeated: boolean;
};

export type PendingAnswer = {
  readonly kind: 'pending';
  readonly requestId: string;
  readonly retryAfterSeconds: number;
  readonly isRepeated: boolean;
};

/** How long a client should wait before it asks again: a person decides, so not seconds. */
export const pendingRetryAfterSeconds = 60;
