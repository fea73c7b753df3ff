/** Reasons of RFC 5280 §5.3.1 as operators write them. This module is loaded by the parser of commands: it must stay light. */

/** `certificate-hold` can be taken back with `remove-from-crl`; all others are for good. */
export const revocationReasons = [
  'unspecified',
  'key-compromise',
  'ca-compromise',
  'affiliation-changed',
  'superseded',
  'cessation-of-operation',
  'certificate-hold',
  'remove-from-crl',
  'privilege-withdrawn',
  'aa-compromise',
] as const;
