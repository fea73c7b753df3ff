/**
 * What a profile is once it has been read: the rules by which one kind of certificate is made. It is data and decides
 * nothing by itself; the enrollment pipeline does what it says. It must never hold anything that a protocol defines:
 * the same profile gives the same certificate through every gate (ARCHITECTURE §1.5).
 */
import type { ValidationMethod } from '@gatehouse/proto/perspective-statement';
import type {
  CurveName,
  KeyUsageName,
  MlDsaParameterSet,
  NameKind,
  PersistDraft,
  ProfileStatus,
  ValidationMode,
} from './vocabulary.ts';

/** One kind of certificate. Object identifiers are dotted, durations are milliseconds. */
export type Profile = {
  /** Lower-case letters, digits and hyphens, 1 to 63. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Which authority signs: end entities come from `issuing`, credentials for the bridge from `service`. */
  readonly authority: 'issuing' | 'service';
  readonly subject: SubjectRule;
  readonly names: NamesRule;
  /** Acceptable keys, the preferred one first. Never empty. */
  readonly keys: readonly KeyRule[];
  /** RFC 5280 §4.2.1.3. */
  readonly keyUsage: readonly KeyUsageName[];
  /** Added to `keyUsage` when the key is RSA. */
  readonly rsaKeyUsage: readonly KeyUsageName[];
  /** Key purposes, dotted, RFC 5280 §4.2.1.12. */
  readonly extendedKeyUsage: readonly string[];
  readonly validity: ValidityRule;
  readonly basicConstraints: BasicConstraintsRule;
  /** Policy identifiers, dotted, RFC 5280 §4.2.1.4. */
  readonly policies: readonly string[];
  /** Whether relying parties can learn what became of a certificate, and what it says about that. */
  readonly status: ProfileStatus;
  /** Absolute http URLs, RFC 5280 §4.2.2.1; they stand instead of the configured ones. */
  readonly authorityInformationAccess: { readonly ocsp: readonly string[]; readonly caIssuers: readonly string[] };
  /** Absolute http URLs, RFC 5280 §4.2.1.13; they stand instead of the configured one. */
  readonly crlDistributionPoints: readonly string[];
  /** What becomes of extensions that a request asks for beside the ones that the profile decides itself. */
  readonly requestExtensions: {
    /** Extension identifiers, dotted, that are taken over as they are. */
    readonly copy: readonly string[];
    readonly others: 'ignore' | 'refuse';
  };
  /** Whether a person has to approve each enrollment. */
  readonly approval: 'none' | 'required';
  /** Evidence that each enrollment must carry. */
  readonly evidence: readonly EvidenceRule[];
  /** How the control of names is validated; absent where that is left to the RA. */
  readonly validation?: ValidationRule;
  /** Which kinds of requester may ask, spelled as in vocabulary.ts. */
  readonly requesters: readonly string[] | 'any';
  readonly lints: LintRule;
  /** RFC 6402 §2.8: whether a renewal may change names when the RA says that the client was allowed to. */
  readonly renewal: { readonly allowsNameChange: boolean };
  /** Whether an RA's word for proof of possession is enough. */
  readonly acceptsStatedPossession: boolean;
};

/** How the subject of the certificate comes about. */
export type SubjectRule = {
  /**
   * `from-request`: what was requested, in its order. `fixed`: exactly what the profile says. `template`: the profile's
   * attributes in the profile's order, filled from the request and its names.
   */
  readonly rule: 'from-request' | 'fixed' | 'template';
  readonly attributes: readonly AttributeRule[];
  /** What becomes of requested attributes that are not listed. */
  readonly others: 'refuse' | 'drop';
};

/** One attribute of the subject. `type` is dotted. */
export type AttributeRule =
  | { readonly type: string; readonly presence: 'required' | 'optional' }
  /** The profile dictates the value. */
  | { readonly type: string; readonly presence: 'fixed'; readonly value: string }
  /** `{dns}`, `{ip}`, `{uri}`, `{email}` stand for the first such name, `{CN}` and the like for a requested attribute. */
  | { readonly type: string; readonly presence: 'template'; readonly value: string };

/** Rules for the subject alternative names. */
export type NamesRule = {
  readonly allowed: readonly NameKind[];
  /** Kinds of which at least one name each is demanded. */
  readonly required: readonly NameKind[];
  /** Whether there must be a name of any allowed kind. */
  readonly atLeastOne: boolean;
  /** Whether `*.` may stand in front of a DNS name. */
  readonly wildcards: boolean;
  /** Whether a common name that is present must equal one of the DNS names or IP addresses. */
  readonly commonNameAmongNames: boolean;
  /** Whether a common name that is a DNS name or an IP address is added as such when no name was asked for. */
  readonly commonNameToName: boolean;
};

/** One kind of acceptable key. */
export type KeyRule =
  | { readonly kind: 'ec'; readonly curves: readonly CurveName[] }
  | { readonly kind: 'rsa'; readonly minimumBits: number; readonly maximumBits: number }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'ml-dsa'; readonly parameterSets: readonly MlDsaParameterSet[] };

/** How long certificates live. Never longer than their issuer, whatever stands here. */
export type ValidityRule = {
  readonly defaultMs: number;
  readonly maximumMs: number;
  /** How far before the moment of issuance notBefore lies, for clients whose clocks are slow. Counts within `maximumMs`. */
  readonly backdateMs: number;
  /** Whether the default is granted whatever was wanted. `maximumMs` equals `defaultMs` then. */
  readonly isFixed: boolean;
};

/** RFC 5280 §4.2.1.9. */
export type BasicConstraintsRule = {
  readonly isCa: boolean;
  /** How many CA certificates may follow; only for a CA, absent: no limit. */
  readonly pathLength?: number;
};

/** One piece of evidence that is demanded. */
export type EvidenceRule = {
  readonly type: string;
  /** PEM file with the anchors that the evidence must lead to, relative to the configuration; absent: the core's own list. */
  readonly anchorsFile?: string;
};

/** How the control of names is validated and verified. */
export type ValidationRule = {
  /** Name of a policy. */
  readonly policy: string;
  readonly mode: ValidationMode;
  /** Never empty. */
  readonly methods: readonly ValidationMethod[];
  /** For how long a validation may be used again. */
  readonly reuseMs: number;
  /** Draft of dns-persist-01 whose records count. */
  readonly dnsPersist: PersistDraft;
};

/** Which lints are run before signing. */
export type LintRule = {
  readonly sets: readonly ('rfc5280' | 'cabf-br')[];
  readonly refuseAt: 'error' | 'warning';
  /** Ids of lints whose findings are not refused. */
  readonly except: readonly string[];
};
