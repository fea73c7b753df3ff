// The resources of EST-coaps, RFC 9148 §4.1 and §4.3: which operation of EST each of them is, by which method it is asked for,
// and which content formats it takes and gives.

import { contentFormats } from './content-formats.ts';
import { methods } from './message/codes.ts';

/** The last segments of the paths, RFC 9148 §4.1, in the order of discovery. */
export const resourceNames = ['crts', 'sen', 'sren', 'att', 'skg', 'skc'] as const;

export type ResourceName = (typeof resourceNames)[number];

/** One row of the table. */
export type Resource = {
  /** Name of the operation over HTTPS, RFC 7030 §3.2.2: labels and trust anchors are configured by it. */
  readonly operation: 'cacerts' | 'simpleenroll' | 'simplereenroll' | 'csrattrs' | 'serverkeygen';
  readonly method: typeof methods.get | typeof methods.post;
  /** Content format of the request; undefined where it has no payload. */
  readonly takes: number | undefined;
  /** Content formats of the response; the first where the client has no preference, RFC 9148 §4.3. */
  readonly formats: readonly [number, ...number[]];
};

const { certificatesOnly, certificate, certificationRequest, csrAttributes, multipart } = contentFormats;
const { get, post } = methods;

/** The table. */
export const resources: Readonly<Record<ResourceName, Resource>> = {
  crts: { operation: 'cacerts', method: get, takes: undefined, formats: [certificatesOnly, certificate] },
  sen: {
    operation: 'simpleenroll',
    method: post,
    takes: certificationRequest,
    formats: [certificatesOnly, certificate],
  },
  sren: {
    operation: 'simplereenroll',
    method: post,
    takes: certificationRequest,
    formats: [certificatesOnly, certificate],
  },
  att: { operation: 'csrattrs', method: get, takes: undefined, formats: [csrAttributes] },
  skg: { operation: 'serverkeygen', method: post, takes: certificationRequest, formats: [multipart] },
  skc: { operation: 'serverkeygen', method: post, takes: certificationRequest, formats: [multipart] },
};
