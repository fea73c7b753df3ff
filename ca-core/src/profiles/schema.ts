/**
 * The form of a profile file. Every key is described here and nowhere else; a key that is not described is an error.
 * Shapes only: what must hold between keys stands in consistency.ts.
 */
import { validationMethods } from '@gatehouse/proto/perspective-statement';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { attributeType, extensionId, httpUrl, keyPurpose, objectIdentifier } from './identifiers.ts';
import {
  curveNames,
  keyUsageNames,
  lintSets,
  mlDsaParameterSets,
  nameKinds,
  persistDrafts,
  profileStatuses,
  requesterKindNames,
  validationModes,
} from './vocabulary.ts';

/** Names of profiles: a label of an EST URL, a file name and a metric's label, so kept plain. */
export const profileNameForm: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A list without repetitions. */
function distinct<S extends z.ZodType>(item: S) {
  return z.array(item).superRefine((items, context) => {
    items.forEach((value, index) => {
      if (items.indexOf(value) < index) context.addIssue({ code: 'custom', path: [index], message: 'is listed twice' });
    });
  });
}

const text = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    // Control characters would corrupt a terminal, a log line or a name.
    .regex(/^\P{Cc}*$/u, 'must not hold control characters');

const attributeValue = text(256).describe('RFC 5280 appendix A bounds it further by type');

const attributeRule = z.discriminatedUnion('presence', [
  z.strictObject({
    type: attributeType,
    presence: z.literal('required').describe('The request must hold it'),
  }),
  z.strictObject({
    type: attributeType,
    presence: z.literal('optional').describe('Taken from the request when it is there'),
  }),
  z.strictObject({
    type: attributeType,
    presence: z.literal('fixed').describe('Always this value'),
    value: attributeValue,
  }),
  z.strictObject({
    type: attributeType,
    presence: z.literal('template').describe('Made from the request; only with rule template'),
    value: attributeValue.describe(
      'Text with {dns}, {ip}, {uri}, {email} (the first such name) or {CN}, {serialNumber}, …',
    ),
  }),
]);

const subject = z
  .strictObject({
    rule: z
      .enum(['from-request', 'fixed', 'template'])
      .describe(
        'from-request keeps what was asked; fixed is what stands here; template orders and fills what stands here',
      ),
    attributes: z.array(attributeRule).default([]),
    others: z.enum(['refuse', 'drop']).default('refuse').describe('Requested attributes that are not listed'),
  })
  .describe('How the subject comes about');

const names = z
  .strictObject({
    allowed: distinct(z.enum(nameKinds)).default([]).describe('Kinds of subject alternative name that are accepted'),
    required: distinct(z.enum(nameKinds)).default([]).describe('Kinds of which each certificate has at least one'),
    atLeastOne: z.boolean().default(false).describe('There must be a name, of whatever allowed kind'),
    wildcards: z.boolean().default(false).describe('DNS names may begin with *.'),
    commonNameAmongNames: z
      .boolean()
      .default(false)
      .describe('A common name must be one of the DNS names or addresses'),
    commonNameToName: z
      .boolean()
      .default(false)
      .describe('A common name that is a DNS name or an address becomes the name of a request that has none'),
  })
  .prefault({})
  .describe('Subject alternative names');

/**
 * Below 2048 bits no key is safe, and no modulus has bits that are not divisible by 8 (BR §6.1.5); above 8192 a single
 * verification takes long enough to be an attack.
 */
const rsaBits = z.int().min(2048).max(8192).multipleOf(8);

const keyRule = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ec'),
    curves: distinct(z.enum(curveNames)).min(1).describe('The preferred one first'),
  }),
  z.strictObject({ kind: z.literal('rsa'), minimumBits: rsaBits.default(2048), maximumBits: rsaBits.default(4096) }),
  z.strictObject({ kind: z.literal('ed25519') }),
  z.strictObject({
    kind: z.literal('ml-dsa'),
    parameterSets: distinct(z.enum(mlDsaParameterSets)).min(1),
  }),
]);

const validity = z
  .strictObject({
    default: durationSchema.optional().describe('Granted when nothing was asked for'),
    maximum: durationSchema.optional().describe('The most that is granted'),
    fixed: durationSchema.optional().describe('Instead of default and maximum: always exactly this'),
    backdate: durationSchema.prefault('5m').describe('How far notBefore lies back, for clocks that are slow'),
  })
  .describe('How long certificates live; never longer than their issuer');

const basicConstraints = z
  .strictObject({
    isCa: z.boolean().default(false),
    pathLength: z.int().min(0).max(8).optional().describe('CA certificates that may follow'),
  })
  .prefault({});

const evidenceRule = z.strictObject({
  type: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be lower-case words with hyphens'),
  anchorsFile: text(1024).optional().describe('PEM file with the trust anchors, relative to the data directory'),
});

const validation = z
  .strictObject({
    policy: z
      .string()
      .regex(profileNameForm, 'must be lower-case letters, digits and hyphens, at most 63')
      .describe('public-br, private, or one of core.validation.policies'),
    mode: z
      .enum(validationModes)
      .default('enforce')
      .describe('enforce: refuse what is not validated; monitor: issue and record; off: nobody looks'),
    methods: distinct(z.enum(validationMethods))
      .min(1)
      .default(['http-01', 'dns-01', 'tls-alpn-01'])
      .describe('Validation methods of RFC 8555 and its drafts that count'),
    reuse: durationSchema.prefault('30d').describe('For how long a validation may be used again'),
    dnsPersist: z
      .enum(persistDrafts)
      .default('draft-02')
      .describe(
        'Records of dns-persist-01 that count; those of draft-01 name no key, so an ACME gate that is taken over could use them',
      ),
  })
  .describe('How the control of names is validated by perspectives, and verified by the core');

const lints = z
  .strictObject({
    sets: distinct(z.enum(lintSets)).default(['rfc5280']),
    refuseAt: z.enum(['error', 'warning']).default('error').describe('The mildest finding that is refused'),
    except: distinct(text(128)).default([]).describe('Ids of lints that are not refused'),
  })
  .prefault({});

/** One profile file, keys as they are written. */
export const profileFileSchema = z.strictObject({
  name: z.string().regex(profileNameForm, 'must be lower-case letters, digits and hyphens, at most 63'),
  description: text(256).describe('One line for people'),
  authority: z.enum(['issuing', 'service']).default('issuing').describe('Which authority signs'),
  subject,
  names,
  keys: z.array(keyRule).min(1).describe('The preferred one first'),
  keyUsage: distinct(z.enum(keyUsageNames)).default([]),
  rsaKeyUsage: distinct(z.enum(keyUsageNames)).default([]).describe('Added for RSA keys'),
  extendedKeyUsage: distinct(keyPurpose).default([]).describe('Key purposes by name or dotted'),
  validity,
  basicConstraints,
  policies: distinct(objectIdentifier).default([]).describe('Policy identifiers, dotted'),
  status: z
    .enum(profileStatuses)
    .default('published')
    .describe(
      'published: on CRLs and in OCSP, at the addresses of core.status; no-rev-avail: never published, and the certificate says so (RFC 9608); unpublished: nothing is published or said',
    ),
  authorityInformationAccess: z
    .strictObject({ ocsp: distinct(httpUrl).default([]), caIssuers: distinct(httpUrl).default([]) })
    .prefault({})
    .describe('Addresses instead of those of core.status'),
  crlDistributionPoints: distinct(httpUrl)
    .default([])
    .describe('Addresses instead of the one of core.status; no shard is chosen then'),
  requestExtensions: z
    .strictObject({
      copy: distinct(extensionId).default([]).describe('Extensions taken from the request as they are'),
      others: z.enum(['ignore', 'refuse']).default('ignore'),
    })
    .prefault({}),
  approval: z.enum(['none', 'required']).default('none').describe('Whether a person approves each enrollment'),
  evidence: z.array(evidenceRule).default([]),
  validation: validation.optional(),
  requesters: z
    .union([z.literal('any'), distinct(z.enum(requesterKindNames)).min(1)])
    .default('any')
    .describe('Which kinds of requester may ask'),
  lints,
  renewal: z
    .strictObject({ allowsNameChange: z.boolean().default(false).describe('RFC 6402 §2.8 ChangeSubjectName') })
    .prefault({}),
  acceptsStatedPossession: z
    .boolean()
    .default(false)
    .describe("Whether an RA's word for proof of possession is enough"),
});

/** A profile file with its defaults filled in. */
export type ProfileFile = z.output<typeof profileFileSchema>;
