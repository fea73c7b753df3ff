// The section `est` of gatehouse.yaml. Every key is explained here, and what is refused here is refused at the start:
// a label that could be taken for an operation, a policy that names a label that does not exist.

import { gateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { proxiesSchema } from '@gatehouse/gateway-kit/proxy';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { keyEncryptionSchema } from './key-encryption-keys.ts';
import { namePatternsSchema } from './name-policy.ts';
import { operationNames } from './operation-names.ts';
import { labelForm } from './router.ts';

const operationsSchema = z.array(z.enum(operationNames));
const labelsSchema = z.array(z.string()).default(['*']);

const labelSchema = z.strictObject({
  /** Profile of the keep that judges what comes in under this label. */
  profile: z.string().min(1),
  /** Operations that are answered; the others are 404. */
  operations: operationsSchema.min(1).default([...operationNames]),
  authentication: z
    .strictObject({
      /**
       * What proves who asks. `any`: a certificate or credentials; `certificate`, `credentials`: only that kind;
       * `both`: a certificate and credentials.
       */
      requires: z.enum(['any', 'certificate', 'credentials', 'both']).default('any'),
      /** HTTP schemes that are offered and accepted; each in its own WWW-Authenticate field. */
      schemes: z.array(z.enum(['basic', 'digest', 'bearer'])).default(['basic']),
      /** Whether csrattrs needs a proof too; RFC 7030 §4.5 leaves it open. */
      csrAttributes: z.boolean().default(false),
    })
    .prefault({}),
  channelBinding: z
    .strictObject({
      /** `none`: challengePassword is not looked at; `optional`: checked when present; `required`: demanded and checked. */
      policy: z.enum(['none', 'optional', 'required']).default('optional'),
      /** Whether tls-exporter counts on TLS 1.2 too (with the extended master secret, RFC 9266 §4.2). */
      acceptsExporterOnTls12: z.boolean().default(false),
    })
    .prefault({}),
  /** Whether a request without Content-Type is taken for the right one. */
  acceptsMissingContentType: z.boolean().default(false),
  /**
   * Whether answers carry `Content-Transfer-Encoding: base64`, for clients that still demand it (RFC 7030 §4.1.3); all
   * others ignore it (RFC 8951 §3.1).
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
  /** What its devices may enrol; the names of their own certificate unless told. `{serialNumber}` and `{CN}` stand for theirs. */
  names: namePatternsSchema.optional(),
  /** IEEE 802.1AR: an IDevID may outlive its notAfter in the field. Needs `revocationList`. */
  acceptsExpired: z.boolean().default(false),
  /** PEM or DER file with the CRL of the issuer of the device certificates. */
  revocationList: z.string().optional(),
});

const certificateMappingSchema = z.strictObject({
  /** Patterns that the subject of a certificate of our own CA must match, each as `type=pattern`. */
  subject: z.array(z.string()).min(1),
  labels: labelsSchema,
  operations: operationsSchema.default(['simpleenroll', 'serverkeygen', 'fullcmc']),
  /** What holders may enrol beside the names of their own certificate. */
  names: namePatternsSchema.prefault({}),
  /** Holders may enrol for others (RFC 7030 §3.7); their certificate must also carry id-kp-cmcRA. */
  isRegistrationAuthority: z.boolean().default(false),
});

const tokenIssuerSchema = z.strictObject({
  /** `iss` of its tokens. */
  issuer: z.string().min(1),
  /** `aud` that stands for this gate. */
  audience: z.string().min(1),
  /** JWK Set: a file, or an https URL. */
  keys: z.string().min(1),
  labels: labelsSchema,
  names: namePatternsSchema.prefault({}),
});

/** Schema of the section. */
export const estSchema = z
  .strictObject({
    ...gateShape(7030),
    /** Realm of Basic and Digest; changing it voids stored Digest secrets. */
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/, 'must be printable ASCII without quotes')
      .default('Gatehouse EST'),
    /** users.yaml; without it there are no users. */
    users: z.string().optional(),
    /** shared-secrets.yaml, for the controls of fullcmc that prove a shared secret; without it there are none. */
    sharedSecrets: z.string().optional(),
    /** Where spent uses of counted passwords are remembered. */
    spentUses: z.string().default('est/spent-uses.json'),
    labels: z.record(z.string().regex(labelForm, 'cannot be a label in a path'), labelSchema),
    /** Label of requests that name none; without it they are 404. */
    defaultLabel: z.string().optional(),
    /** Anchors of foreign CAs (manufacturers); our own CA needs no entry. */
    trustAnchors: z.array(trustAnchorSchema).default([]),
    certificates: z.array(certificateMappingSchema).default([]),
    tokenIssuers: z.array(tokenIssuerSchema).default([]),
    /** Keys that serverkeygen can encrypt to, beside the client's own certificate (RFC 7030 §4.4.1). */
    keyEncryption: keyEncryptionSchema.prefault({}),
    /** Proxies whose Client-Cert field (RFC 9440) is believed. */
    proxies: proxiesSchema,
    /** For how long after an issue the same request gets the same certificate. */
    retryWindow: durationSchema.prefault('10m'),
    /** The same for profiles that need approval: how long an approved certificate waits to be collected. */
    collectWindow: durationSchema.prefault('7d'),
    backOff: z
      .strictObject({
        /** Wrong passwords that cost nothing, for a user and for an address. */
        userFailures: z.number().int().min(1).default(10),
        addressFailures: z.number().int().min(1).default(30),
        firstDelay: durationSchema.prefault('1s'),
        maximumDelay: durationSchema.prefault('5m'),
        forgetAfter: durationSchema.prefault('15m'),
      })
      .prefault({}),
  })
  .superRefine((section, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const known = new Set(Object.keys(section.labels));
    for (const label of known) {
      // RFC 7030 §3.2.2: a label must not be one of the operations' paths.
      if ((operationNames as readonly string[]).includes(label.toLowerCase())) {
        complain(['labels', label], 'a label must not have the name of an operation');
      }
      const { requires, schemes } = section.labels[label]?.authentication ?? { requires: 'any', schemes: [] };
      if ((requires === 'credentials' || requires === 'both') && schemes.length === 0) {
        complain(['labels', label, 'authentication', 'schemes'], `'${requires}' needs a scheme`);
      }
    }
    if (section.defaultLabel !== undefined && !known.has(section.defaultLabel)) {
      complain(['defaultLabel'], `there is no label '${section.defaultLabel}'`);
    }
    for (const kind of ['keys', 'certificates'] as const) {
      section.keyEncryption[kind].forEach(({ labels }, index) => {
        for (const label of labels) {
          if (label === '*' || known.has(label)) continue;
          complain(['keyEncryption', kind, index, 'labels'], `there is no label '${label}'`);
        }
      });
    }
    for (const kind of ['certificates', 'tokenIssuers'] as const) {
      section[kind].forEach(({ labels }, index) => {
        const unknown = labels.find((label) => label !== '*' && !known.has(label));
        if (unknown !== undefined) complain([kind, index, 'labels'], `there is no label '${unknown}'`);
      });
    }
    section.trustAnchors.forEach((anchor, index) => {
      for (const label of anchor.labels) {
        if (!known.has(label)) complain(['trustAnchors', index, 'labels'], `there is no label '${label}'`);
      }
      if (anchor.acceptsExpired && anchor.revocationList === undefined) {
        complain(
          ['trustAnchors', index, 'acceptsExpired'],
          'expired certificates are accepted only with a revocationList',
        );
      }
    });
  });

/** The section as the gate uses it: durations in milliseconds, paths as written. */
export type EstConfiguration = z.output<typeof estSchema>;

/** A label with its name. */
export type Label = z.output<typeof labelSchema> & { readonly name: string };

/** Settings of one foreign trust anchor. */
export type TrustAnchorSettings = z.output<typeof trustAnchorSchema>;

/** Settings of one mapping of own certificates. */
export type CertificateMapping = z.output<typeof certificateMappingSchema>;

/** Settings of one issuer of bearer tokens. */
export type TokenIssuerSettings = z.output<typeof tokenIssuerSchema>;

/** The labels by name, and the one that is meant when a path names none. */
export type Labels = {
  /** The label of this name (exactly, else without case if that is unambiguous), or undefined. */
  find(name: string | undefined): Label | undefined;
  readonly all: readonly Label[];
};

/** Makes the look-up of labels. */
export function collectLabels(configuration: EstConfiguration): Labels {
  const all = Object.entries(configuration.labels).map(([name, label]) => ({ ...label, name }));
  const byName = new Map(all.map((label) => [label.name, label]));
  return {
    all,
    find: (given) => {
      const name = given ?? configuration.defaultLabel;
      if (name === undefined) return undefined;
      const exact = byName.get(name);
      if (exact !== undefined) return exact;
      const similar = all.filter((label) => label.name.toLowerCase() === name.toLowerCase());
      return similar.length === 1 ? similar[0] : undefined;
    },
  };
}
