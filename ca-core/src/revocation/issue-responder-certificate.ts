/**
 * The certificate of the core's own OCSP responder: made as every certificate of the issuing CA is, under the profile
 * `ocsp-signing`, with the extension that lets relying parties trust it as long as it lives (RFC 6960 §4.2.2.2.1).
 * Recorded like all others, with an event for the key.
 */
import { ocspNoCheck } from '@gatehouse/pkix/extensions';
import { attribute, attributeValues, formatName, type Name } from '@gatehouse/pkix/names';
import { attributeTypes, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { RequesterKind } from '@gatehouse/proto/types';
import { formatDuration } from '@gatehouse/runtime/duration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import type { IssuingProfile } from '../enrollment/issuing-profile.ts';
import { searchNamesOf } from '../enrollment/search-names.ts';
import { shapeNames } from '../enrollment/shape-names.ts';
import { type IntendedCertificate, type SignedCertificate, signCertificate } from '../enrollment/sign-certificate.ts';
import { decideValidity } from '../enrollment/validity.ts';
import type { Keep } from '../keep.ts';
import type { Signer } from '../keys/signer.ts';
import { insertCertificate } from '../store/certificates.ts';
import { fulfilIntent, insertIntent } from '../store/intents.ts';
import type { WriteSet } from '../store/write-set.ts';
import type { OcspConfiguration } from './status-configuration.ts';

/** Under which profile responders are certified. */
export const responderProfile = 'ocsp-signing';

/** What is needed of the keep. */
export type ResponderIssuer = Pick<Keep, 'instance' | 'profiles' | 'store' | 'verifier' | 'metrics' | 'clock'>;

/** One issuance. */
type Issuance = {
  readonly keep: ResponderIssuer;
  readonly issuingProfile: IssuingProfile;
  readonly key: Signer;
  readonly subject: Name;
  readonly requestId: string;
  readonly now: Date;
};

/**
 * What issues certificates for responders' keys, for `openOcspResponder`. It answers the DER once all is committed, and
 * throws CoreError when it cannot.
 *
 * @throws {FatalError} when the operator's profile `ocsp-signing` fits no responder, or keys would live too briefly
 */
export function responderIssuance(
  keep: ResponderIssuer,
  { keyLife, validity }: Pick<OcspConfiguration, 'keyLife' | 'validity'>,
): (key: Signer, replaces: string | undefined) => Promise<Uint8Array> {
  const issuingProfile = keep.profiles.get(responderProfile);
  if (issuingProfile === undefined) throw new Error(`there is no profile ${responderProfile}`);
  checkProfile(issuingProfile);
  checkKeyLife(Math.min(keyLife, issuingProfile.profile.validity.maximumMs), validity);

  return async (key, replaces) => {
    const now = keep.clock.now();
    const { profile, authority } = issuingProfile;
    const { subject } = shapeNames(profile, { subject: nameResponder(authority.certificate.subject, key), names: [] });
    const issuance: Issuance = { keep, issuingProfile, key, subject, requestId: newRequestId(), now };
    const limits = { profile, wantedMs: keyLife, registrationAuthorityMaximumMs: undefined };
    const signed = await signCertificate(keep, {
      issuingProfile,
      contents: {
        ...decideValidity({ ...limits, issuer: authority.certificate }, now),
        subject,
        names: [],
        subjectPublicKeyInfo: key.subjectPublicKeyInfo,
        extensions: [ocspNoCheck()],
      },
      now,
      isBusy: false,
      recordIntent: (intended) => keep.store.commit(intentWriteSet(issuance, intended)),
    });
    await keep.store.commit(responderWriteSet(issuance, signed, replaces));
    keep.metrics.certificatesIssued.inc({ profile: profile.name });
    return signed.certificate;
  };
}

function checkProfile({ profile }: IssuingProfile): void {
  const takesKey = profile.keys.some((rule) => rule.kind === 'ec' && rule.curves.includes('P-256'));
  const signsResponses = profile.extendedKeyUsage.includes(keyPurposes.OCSPSigning);
  if (takesKey && signsResponses) return;
  throw new FatalError(
    `profile ${responderProfile} does not fit the core's own responder: it ${signsResponses ? 'takes no key on P-256' : 'lacks OCSPSigning'}`,
    { hint: 'correct it, or give your profile another name: the core issues to its responder under this one' },
  );
}

// Replaced at half of its life, a key must still outlive what it signed last.
function checkKeyLife(lifeMs: number, responseValidityMs: number): void {
  if (lifeMs >= 2 * responseValidityMs) return;
  throw new FatalError(
    `OCSP keys would live ${formatDuration(lifeMs)}, less than twice as long as responses (${formatDuration(responseValidityMs)})`,
    {
      hint: `raise core.status.issuing.ocsp.keyLife and the maximum of profile ${responderProfile}, or lower validity`,
    },
  );
}

/** The CA's organization, and a common name by which keys can be told apart. */
function nameResponder(issuer: Name, key: Signer): Name {
  const [organization] = attributeValues(issuer, attributeTypes.O);
  const commonName = `OCSP Responder ${key.keyFingerprint.slice(0, 8).toUpperCase()}`;
  return [...(organization === undefined ? [] : [[attribute('O', organization)]]), [attribute('CN', commonName)]];
}

function intentWriteSet({ keep, requestId, now }: Issuance, intended: IntendedCertificate): WriteSet {
  return {
    operations: [insertIntent({ ...intended, requestId, createdAt: now })],
    events: [
      {
        action: 'signing-intended',
        actor: keep.instance.uri,
        profile: responderProfile,
        serialNumber: intended.serialNumber,
        outcome: 'success',
        body: { requestId },
      },
    ],
  };
}

function responderWriteSet(issuance: Issuance, signed: SignedCertificate, replaces: string | undefined): WriteSet {
  const { keep, issuingProfile, key, subject, requestId, now } = issuance;
  const { authority } = issuingProfile;
  const { serialNumber } = signed;
  const facts = { actor: keep.instance.uri, profile: responderProfile, serialNumber, outcome: 'success' } as const;
  const subjectText = formatName(subject);
  return {
    operations: [
      ...insertCertificate({
        ...signed,
        authority: authority.name,
        profile: responderProfile,
        registrationAuthority: '',
        // Nobody asked: the core makes its responder by itself.
        requester: { kind: RequesterKind.REQUESTER_KIND_UNSPECIFIED, id: '', address: '', display: '' },
        requestId,
        subject: subjectText,
        searchNames: searchNamesOf(subject, []),
        keyFingerprint: Buffer.from(key.keyFingerprint, 'hex'),
        issuedAt: now,
        renews: replaces,
      }),
      ...(authority.signer.isSynchronous ? [] : [fulfilIntent(serialNumber)]),
    ],
    events: [
      {
        action: 'ocsp-key-made',
        ...facts,
        body: { fingerprint: key.keyFingerprint, algorithm: key.algorithm, replaces },
      },
      {
        action: 'certificate-issued',
        ...facts,
        body: {
          requestId,
          subject: subjectText,
          tbsSha256: Buffer.from(signed.tbsSha256).toString('hex'),
          instance: keep.instance.id,
        },
      },
    ],
  };
}
