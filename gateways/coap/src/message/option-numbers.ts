// The options of CoAP that this gate knows, with what RFC 7252 §5.10 (and the RFCs since) say of their values: a recipient has
// to know lengths and repeatability before it may call an option its own, RFC 7252 §5.4.3 and §5.4.5.

/** Option Numbers, RFC 7252 §12.2. */
export const optionNumbers = {
  ifMatch: 1,
  uriHost: 3,
  eTag: 4,
  ifNoneMatch: 5,
  observe: 6,
  uriPort: 7,
  locationPath: 8,
  oscore: 9,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  hopLimit: 16,
  accept: 17,
  qBlock1: 19,
  locationQuery: 20,
  block2: 23,
  block1: 27,
  size2: 28,
  qBlock2: 31,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
  echo: 252,
  noResponse: 258,
  requestTag: 292,
} as const;

/** How an option's value is written, RFC 7252 §3.2. */
export type OptionFormat = 'empty' | 'opaque' | 'uint' | 'string';

/** What is known of an option. */
export type OptionDefinition = {
  /** As registered. */
  readonly name: string;
  readonly format: OptionFormat;
  readonly minimumOctets: number;
  readonly maximumOctets: number;
  readonly isRepeatable: boolean;
};

/** The options of {@link optionNumbers} by number. */
export const optionDefinitions: ReadonlyMap<number, OptionDefinition> = new Map([
  [1, { name: 'If-Match', format: 'opaque', minimumOctets: 0, maximumOctets: 8, isRepeatable: true }], // RFC 7252 §5.10.8.1
  [3, { name: 'Uri-Host', format: 'string', minimumOctets: 1, maximumOctets: 255, isRepeatable: false }], // RFC 7252 §5.10.1
  [4, { name: 'ETag', format: 'opaque', minimumOctets: 1, maximumOctets: 8, isRepeatable: true }], // RFC 7252 §5.10.6
  [5, { name: 'If-None-Match', format: 'empty', minimumOctets: 0, maximumOctets: 0, isRepeatable: false }], // RFC 7252 §5.10.8.2
  [6, { name: 'Observe', format: 'uint', minimumOctets: 0, maximumOctets: 3, isRepeatable: false }], // RFC 7641 §2
  [7, { name: 'Uri-Port', format: 'uint', minimumOctets: 0, maximumOctets: 2, isRepeatable: false }], // RFC 7252 §5.10.1
  [8, { name: 'Location-Path', format: 'string', minimumOctets: 0, maximumOctets: 255, isRepeatable: true }], // RFC 7252 §5.10.7
  [9, { name: 'OSCORE', format: 'opaque', minimumOctets: 0, maximumOctets: 255, isRepeatable: false }], // RFC 8613 §2
  [11, { name: 'Uri-Path', format: 'string', minimumOctets: 0, maximumOctets: 255, isRepeatable: true }], // RFC 7252 §5.10.1
  [12, { name: 'Content-Format', format: 'uint', minimumOctets: 0, maximumOctets: 2, isRepeatable: false }], // RFC 7252 §5.10.3
  [14, { name: 'Max-Age', format: 'uint', minimumOctets: 0, maximumOctets: 4, isRepeatable: false }], // RFC 7252 §5.10.5
  [15, { name: 'Uri-Query', format: 'string', minimumOctets: 0, maximumOctets: 255, isRepeatable: true }], // RFC 7252 §5.10.1
  [16, { name: 'Hop-Limit', format: 'uint', minimumOctets: 1, maximumOctets: 1, isRepeatable: false }], // RFC 8768 §3
  [17, { name: 'Accept', format: 'uint', minimumOctets: 0, maximumOctets: 2, isRepeatable: false }], // RFC 7252 §5.10.4
  [19, { name: 'Q-Block1', format: 'uint', minimumOctets: 0, maximumOctets: 3, isRepeatable: false }], // RFC 9177 §4.1
  [20, { name: 'Location-Query', format: 'string', minimumOctets: 0, maximumOctets: 255, isRepeatable: true }], // RFC 7252 §5.10.7
  [23, { name: 'Block2', format: 'uint', minimumOctets: 0, maximumOctets: 3, isRepeatable: false }], // RFC 7959 §2.1
  [27, { name: 'Block1', format: 'uint', minimumOctets: 0, maximumOctets: 3, isRepeatable: false }], // RFC 7959 §2.1
  [28, { name: 'Size2', format: 'uint', minimumOctets: 0, maximumOctets: 4, isRepeatable: false }], // RFC 7959 §4
  [31, { name: 'Q-Block2', format: 'uint', minimumOctets: 0, maximumOctets: 3, isRepeatable: true }], // RFC 9177 §4.1
  [35, { name: 'Proxy-Uri', format: 'string', minimumOctets: 1, maximumOctets: 1034, isRepeatable: false }], // RFC 7252 §5.10.2
  [39, { name: 'Proxy-Scheme', format: 'string', minimumOctets: 1, maximumOctets: 255, isRepeatable: false }], // RFC 7252 §5.10.2
  [60, { name: 'Size1', format: 'uint', minimumOctets: 0, maximumOctets: 4, isRepeatable: false }], // RFC 7252 §5.10.9
  [252, { name: 'Echo', format: 'opaque', minimumOctets: 1, maximumOctets: 40, isRepeatable: false }], // RFC 9175 §2.2.1
  [258, { name: 'No-Response', format: 'uint', minimumOctets: 0, maximumOctets: 1, isRepeatable: false }], // RFC 7967 §2
  [292, { name: 'Request-Tag', format: 'opaque', minimumOctets: 0, maximumOctets: 8, isRepeatable: true }], // RFC 9175 §3.2.1
]);

/**
 * The critical options that the layers above this one understand in a request, RFC 7252 §5.4.1. The elective ones need no
 * list: who does not know them passes over them. If-Match and If-None-Match are not among them: nothing here is conditional.
 */
export const understoodCriticalOptions: ReadonlySet<number> = new Set([
  optionNumbers.uriHost,
  optionNumbers.uriPort,
  optionNumbers.uriPath,
  optionNumbers.uriQuery,
  optionNumbers.accept,
  optionNumbers.block1,
  optionNumbers.block2,
]);
