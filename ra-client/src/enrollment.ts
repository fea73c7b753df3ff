// One enrollment as a gate states it, and its outcome as a gate must handle it: issued or pending, told apart by type.
// It only changes shapes between the house's types and the contract's; it decides nothing and edits no request.

import type { GeneralName } from '@gatehouse/pkix/general-names';
import { writeGeneralName } from '@gatehouse/pkix/general-names';
import type {
  EnrollRequest,
  EnrollResponse,
  NameAssignment as WireNameAssignment,
} from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { GeneralName as WireGeneralName } from '@gatehouse/proto/types';
import { RequesterKind } from '@gatehouse/proto/types';

/** The key to be certified, and the proof that the client holds its private half. */
export type SubjectKey =
  /** PKCS#10, RFC 2986, DER, at most 16 KiB. */
  | { readonly kind: 'certification-request'; readonly der: Uint8Array }
  /** CertReqMsg, RFC 4211, DER, at most 16 KiB. */
  | { readonly kind: 'certificate-request-message'; readonly der: Uint8Array }
  /** A bare key whose possession the protocol proved in its own way, told in `proofOfPossession`. */
  | { readonly kind: 'public-key'; readonly subjectPublicKeyInfo: Uint8Array; readonly proofOfPossession: string };

/** The kind of proof by which the gate knows the requester. */
export type RequesterName =
  | 'user'
  | 'certificate'
  | 'device'
  | 'token'
  | 'account'
  | 'workload'
  | 'operator'
  | 'registration-authority';

/** Who asked the gate. Recorded and audited; it grants nothing. */
export type Requester = {
  readonly kind: RequesterName;
  /** Stable within its kind, at most 256 octets: user name, `issuer serial` of a certificate, … */
  readonly id: string;
  /** Address of the peer. */
  readonly address?: string | undefined;
  /** What a person would call it, at most 256 octets. */
  readonly display?: string | undefined;
};

/** A statement that the keep verifies itself. */
export type Evidence = {
  /** `client-certificate-chain`, … */
  readonly type: string;
  readonly payload: Uint8Array;
  /** Certificates that help to verify it, DER, at most 8. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** Statements of perspectives, compact JWS each. */
  readonly statements?: readonly string[] | undefined;
};

/** Names that the gate adds to the requested ones, or puts in their place. */
export type NameAssignment = {
  /** Replaces the requested subject, RFC 4514 text. */
  readonly subject?: string | undefined;
  readonly subjectAlternativeNames?: readonly GeneralName[] | undefined;
  readonly replacesRequested?: boolean | undefined;
};

/** What a gate asks for. */
export type Enrollment = {
  /** The same key with the same content always yields the first answer. 8 to 128 octets of visible ASCII. */
  readonly idempotencyKey: string;
  readonly profile: string;
  readonly subjectKey: SubjectKey;
  readonly requester: Requester;
  readonly names?: NameAssignment | undefined;
  /** Wanted life of the certificate, milliseconds (whole seconds count); the profile's default unless told. */
  readonly validityMs?: number | undefined;
  /** Wanted beginning and end, whole seconds: granted exactly, or refused as `profile-refuses`. */
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  /** The certificate being renewed, DER. */
  readonly renews?: Uint8Array | undefined;
  readonly evidence?: readonly Evidence[] | undefined;
  /** The client was allowed to change its names on renewal, RFC 6402 §2.8. */
  readonly changesNames?: boolean | undefined;
};

/** A certificate was issued and is durable. */
export type IssuedEnrollment = {
  readonly kind: 'issued';
  readonly requestId: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** Issuing CA first, trust anchor last, DER. */
  readonly chain: readonly Uint8Array[];
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The answer was given before, to the same idempotency key. */
  readonly isRepeated: boolean;
};

/** A person has to approve first. */
export type PendingEnrollment = {
  readonly kind: 'pending';
  readonly requestId: string;
  readonly retryAfterSeconds: number;
};

/** The outcome of an enrollment that was not refused. */
export type EnrollmentOutcome = IssuedEnrollment | PendingEnrollment;

const requesterKinds: Readonly<Record<RequesterName, RequesterKind>> = {
  user: RequesterKind.REQUESTER_KIND_USER,
  certificate: RequesterKind.REQUESTER_KIND_CERTIFICATE,
  device: RequesterKind.REQUESTER_KIND_DEVICE,
  token: RequesterKind.REQUESTER_KIND_TOKEN,
  account: RequesterKind.REQUESTER_KIND_ACCOUNT,
  workload: RequesterKind.REQUESTER_KIND_WORKLOAD,
  operator: RequesterKind.REQUESTER_KIND_OPERATOR,
  'registration-authority': RequesterKind.REQUESTER_KIND_REGISTRATION_AUTHORITY,
};

const nothing = Buffer.alloc(0);

/** The contract's form of an enrollment. */
export function toEnrollRequest(enrollment: Enrollment): EnrollRequest {
  const { names, validityMs, renews, evidence } = enrollment;
  return {
    idempotencyKey: enrollment.idempotencyKey,
    profile: enrollment.profile,
    subjectKey: toWireSubjectKey(enrollment.subjectKey),
    names: names === undefined ? undefined : toWireNames(names),
    validity: validityMs === undefined ? undefined : { seconds: Math.floor(validityMs / 1000), nanos: 0 },
    requester: toWireRequester(enrollment.requester),
    renews: renews === undefined ? nothing : toBuffer(renews),
    evidence:
      evidence?.map(({ type, payload, certificates, statements }) => ({
        type,
        payload: toBuffer(payload),
        certificates: certificates?.map(toBuffer) ?? [],
        statements: statements?.map((statement) => Buffer.from(statement, 'latin1')) ?? [],
      })) ?? [],
    changesNames: enrollment.changesNames ?? false,
    notBefore: enrollment.notBefore,
    notAfter: enrollment.notAfter,
  };
}

/** The contract's form of a requester. */
export function toWireRequester({ kind, id, address, display }: Requester): NonNullable<EnrollRequest['requester']> {
  return { kind: requesterKinds[kind], id, address: address ?? '', display: display ?? '' };
}

/**
 * The house's form of an answer.
 *
 * @throws {CoreError} `internal` when the keep broke the contract
 */
export function toEnrollmentOutcome({ requestId, outcome, isRepeated }: EnrollResponse): EnrollmentOutcome {
  if (outcome?.$case === 'issued') {
    const { certificate, chain, serialNumber, notBefore, notAfter } = outcome.value;
    if (certificate.length > 0 && notBefore !== undefined && notAfter !== undefined) {
      return { kind: 'issued', requestId, certificate, chain, serialNumber, notBefore, notAfter, isRepeated };
    }
  }
  if (outcome?.$case === 'pending') {
    return { kind: 'pending', requestId, retryAfterSeconds: outcome.value.retryAfterSeconds };
  }
  throw new CoreError('internal', 'the CA core gave an incomplete answer');
}

/** A view of the same octets as a Buffer; nothing is copied. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function toWireSubjectKey(key: SubjectKey): EnrollRequest['subjectKey'] {
  switch (key.kind) {
    case 'certification-request':
      return { $case: 'certificationRequest', value: toBuffer(key.der) };
    case 'certificate-request-message':
      return { $case: 'certificateRequestMessage', value: toBuffer(key.der) };
    case 'public-key':
      return {
        $case: 'publicKey',
        value: { subjectPublicKeyInfo: toBuffer(key.subjectPublicKeyInfo), proofOfPossession: key.proofOfPossession },
      };
  }
}

function toWireNames(names: NameAssignment): WireNameAssignment {
  return {
    subject: names.subject,
    subjectAlternativeNames: names.subjectAlternativeNames?.map(toWireGeneralName) ?? [],
    replacesRequested: names.replacesRequested ?? false,
  };
}

function toWireGeneralName(name: GeneralName): WireGeneralName {
  switch (name.kind) {
    case 'dns':
    case 'ip':
    case 'uri':
    case 'email':
      return { name: { $case: name.kind, value: name.value } };
    default:
      return { name: { $case: 'der', value: toBuffer(writeGeneralName(name)) } };
  }
}
