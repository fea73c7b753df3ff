// The policy of EST as it stands in gatehouse.yaml: labels, foreign trust anchors, what certificates of our own CA may do,
// keys to encrypt to, and windows. One policy for all doors: the section `est` has it, and the CoAP gate reads it there.
// What is refused here is refused at the start: a policy that names a label that does not exist means nothing.

import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { keyEncryptionSchema } from './key-encryption-keys.ts';
import { labelForm } from './labels.ts';
import { namePatternsSchema } from './name-policy.ts';
import { operationNames } from './operation-names.ts';

const operationsSchema = z.array(z.enum(operationNames));

/** Schema of labels that an entry speaks of; `*` for all. */
export const labelNamesSchema = z.array(z.string()).default(['*']);

const labelSchema = z.strictObject({
  /** Profile of the keep that judges what comes in under this label. */
  profile: z.string().min(1),
  /** Operations that are answered; the others are not found. */
  operations: operationsSchema.min(1).default([...operationNames]),
  authentication: z
    .strictObject({
      /**
       * What proves who asks. `any`: a certificate or credentials; `certificate`, `credentials`: only that kind;
       * `both`: a certificate and credentials. CoAP knows certificates alone, and does not serve the last two.
       */
      requires: z.enum(['any', 'certificate', 'credentials', 'both']).default('any'),
      /** HTTP schemes that are offered and accepted; each in its own WWW-Authenticate field. */
      schemes: z.array(z.enum(['basic', 'digest', 'bearer'])).default(['basic']),
      /** Whether csrattrs needs a proof over HTTPS too; RFC 7030 §4.5 leaves it open. */
      csrAttributes: z.boolean().default(false),
    })
    .prefault({}),
  channelBinding: z
    .strictObject({
      /** `none`: challengePassword is not looked at; `optional`: checked when present; `required`: demanded and checked. */
      policy: z.enum(['none', 'optional', 'required']).default('optional'),
      /** Whether tls-exporter counts on TLS 1.2 and DTLS 1.2 too (with the extended master secret, RFC 9266 §4.2). */
      acceptsExporterOnTls12: z.boolean().default(false),
    })
    .prefault({}),
  /** Whether a request over HTTPS without Content-Type is taken for the right one. */
  acceptsMissingContentType: z.boolean().default(false),
  /**
   * Whether answers over HTTPS carry `Content-Transfer-Encoding: base64`, for clients that still demand it (RFC 7030
   * §4.1.3); all others ignore it (RFC 8951 §3.1).
   */
  sendsContentTransferEncoding: z.boolean().default(false),
  csrAttributes: z
    .strictObject({
      /** Elements of RFC 7030 §4.5.2 for clients that do not know templates. */
      classic: z.boolean().default(true),
      /** certificationRequestInfoTemplate, RFC 9908 §3.4. */
      template: z.boolean().default(true),
    })
    .prefault({}),
  renewal: z
    .strictObject({
      /** How long after its end a certificate may still renew itself. */
      expiredGrace: durationSchema.prefault('0s'),
      /** Profiles whose certificates may be renewed under this label; the label's own profile unless told. */
      profiles: z.array(z.string()).default([]),
    })
    .prefault({}),
});

const trustAnchorSchema = z.strictObject({
  /** Recorded with every enrollment of its devices: `acme-idevid`. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
  /** PEM file with the anchor, and with intermediates that devices do not send. */
  file: z.string(),
  /** Labels and operations for which its certificates count; nothing unless listed. */
  labels: z.array(z.string()).min(1),
  operations: z.array(z.enum(['simpleenroll', 'serverkeygen', 'fullcmc', 'csrattrs'])).default(['simpleenroll']),
  /**
   * What its devices may enrol; the names of their own certificate unless told. `{serialNumber}` and `{CN}` stand for
   * those of their subject, `{hwType}` and `{hwSerialNum}` for their HardwareModuleName (RFC 4108 §5).
   */
  names: namePatternsSchema.optional(),
  /** IEEE 802.1AR: an IDevID may outlive its notAfter in the field. Needs `revocationList`. */
  acceptsExpired: z.boolean().default(false),
  /**
   * CRL of the issuer of the device certificates: a PEM or DER file, or an http or https URL that is fetched at the start
   * and followed.
   */
  revocationList: z.string().min(1).optional(),
});

const certificateMappingSchema = z.strictObject({
  /** Patterns that the subject of a certificate of our own CA must match, each as `type=pattern`. */
  subject: z.array(z.string()).min(1),
  labels: labelNamesSchema,
  operations: operationsSchema.default(['simpleenroll', 'serverkeygen', 'fullcmc']),
  /** What holders may enrol beside the names of their own certificate. */
  names: namePatternsSchema.prefault({}),
  /** Holders may enrol for others (RFC 7030 §3.7); their certificate must also carry id-kp-cmcRA. */
  isRegistrationAuthority: z.boolean().default(false),
});

const labelsSchema = z.record(z.string().regex(labelForm, 'cannot be a label in a path'), labelSchema);
const trustAnchorsSchema = z.array(trustAnchorSchema);
const certificatesSchema = z.array(certificateMappingSchema);

/** Keys of the policy in the section `est`. */
export const estPolicyShape = {
  labels: labelsSchema,
  /** Label of requests that name none; without it they are not found. */
  defaultLabel: z.string().optional(),
  /** Anchors of foreign CAs (manufacturers); our own CA needs no entry. */
  trustAnchors: trustAnchorsSchema.default([]),
  certificates: certificatesSchema.default([]),
  /** Keys that serverkeygen can encrypt to, beside the client's own certificate (RFC 7030 §4.4.1). */
  keyEncryption: keyEncryptionSchema.prefault({}),
  /** For how long after an issue the same request gets the same certificate. */
  retryWindow: durationSchema.prefault('10m'),
  /** The same for profiles that need approval: how long an approved certificate waits to be collected. */
  collectWindow: durationSchema.prefault('7d'),
} as const;

/** The same keys in the section of another gate: one that stands there takes the place of that in `est`. */
export const ownEstPolicyShape = {
  labels: labelsSchema.optional(),
  defaultLabel: z.string().optional(),
  trustAnchors: trustAnchorsSchema.optional(),
  certificates: certificatesSchema.optional(),
  keyEncryption: keyEncryptionSchema.optional(),
  retryWindow: durationSchema.optional(),
  collectWindow: durationSchema.optional(),
} as const satisfies Readonly<Record<keyof typeof estPolicyShape, z.ZodType>>;

/** The policy, defaults filled in: durations in milliseconds, paths as written. */
export type EstPolicy = z.output<z.ZodObject<typeof estPolicyShape>>;

/** Settings of one label. */
export type LabelSettings = z.output<typeof labelSchema>;

/** A label with its name. */
export type Label = LabelSettings & { readonly name: string };

/** Settings of one foreign trust anchor. */
export type TrustAnchorSettings = z.output<typeof trustAnchorSchema>;

/** Settings of one mapping of own certificates. */
export type CertificateMapping = z.output<typeof certificateMappingSchema>;

/** Takes a complaint about the key at `path`. */
export type Complain = (path: (string | number)[], message: string) => void;

/** Checks what the schema of each key cannot see: names of labels, and policies that speak of labels. */
export function checkEstPolicy(policy: EstPolicy, complain: Complain): void {
  for (const [name, { authentication }] of Object.entries(policy.labels)) {
    // RFC 7030 §3.2.2: a label must not be one of the operations' paths.
    if ((operationNames as readonly string[]).includes(name.toLowerCase())) {
      complain(['labels', name], 'a label must not have the name of an operation');
    }
    const { requires, schemes } = authentication;
    if ((requires === 'credentials' || requires === 'both') && schemes.length === 0) {
      complain(['labels', name, 'authentication', 'schemes'], `'${requires}' needs a scheme`);
    }
  }
  if (policy.defaultLabel !== undefined && !Object.hasOwn(policy.labels, policy.defaultLabel)) {
    complain(['defaultLabel'], `there is no label '${policy.defaultLabel}'`);
  }
  for (const kind of ['keys', 'certificates'] as const) {
    checkLabelNames(policy, ['keyEncryption', kind], policy.keyEncryption[kind], complain);
  }
  checkLabelNames(policy, ['certificates'], policy.certificates, complain);
  checkLabelNames(policy, ['trustAnchors'], policy.trustAnchors, complain, { hasWildcard: false });
  policy.trustAnchors.forEach(({ acceptsExpired, revocationList }, index) => {
    if (!acceptsExpired || revocationList !== undefined) return;
    complain(['trustAnchors', index, 'acceptsExpired'], 'expired certificates are accepted only with a revocationList');
  });
}

/** Complains about entries that speak of labels which do not exist. */
export function checkLabelNames(
  { labels: known }: Pick<EstPolicy, 'labels'>,
  path: readonly (string | number)[],
  entries: readonly { readonly labels: readonly string[] }[],
  complain: Complain,
  { hasWildcard = true }: { readonly hasWildcard?: boolean } = {},
): void {
  entries.forEach(({ labels }, index) => {
    for (const label of labels) {
      if ((hasWildcard && label === '*') || Object.hasOwn(known, label)) continue;
      complain([...path, index, 'labels'], `there is no label '${label}'`);
    }
  });
}
