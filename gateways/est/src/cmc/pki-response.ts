// PKIResponse, RFC 5272 §4.2: the signed answer of the gate, with the status of each part and the certificates that came of
// it; and the Simple PKI Response (§4.1) where there is nothing to say beside the certificates.

import { randomBytes } from 'node:crypto';
import type { SigningIdentity } from '@gatehouse/gateway-kit/est/signing-identity';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { createSignedData } from '@gatehouse/pkix/cms/signed-data';
import { integer, objectIdentifier, octetString, sequence, setOf } from '@gatehouse/pkix/der/writer';
import { cmcControls, contentTypes } from '@gatehouse/pkix/object-identifiers';
import { encodeBody } from '@gatehouse/pkix/transfer-encoding';
import type { EstAnswer } from '../exchange.ts';
import type { ReturnedControls } from './controls.ts';
import { type CmcStatusInfo, writeStatusInfo } from './status.ts';

/** What came of a request. */
export type CmcResponse = {
  readonly httpStatus: number;
  readonly statuses: readonly CmcStatusInfo[];
  /** DER: issued ones, and those that lead to the trust anchor. */
  readonly certificates: readonly Uint8Array[];
  readonly returned: ReturnedControls;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For the log. */
  readonly outcome: string;
  /** Whether the client is to hear a status although all went well: RFC 5272 §6.11 demands it of a revocation. */
  readonly isFull: boolean;
};

/** Nonces of the gate, octets. */
const nonceOctets = 16;

/** The answer: simple where that says all, else full and signed by the gate. */
export function answerCmc(response: CmcResponse, identity: SigningIdentity): EstAnswer {
  const { httpStatus, headers, outcome } = response;
  const isSimple = isSimpleEnough(response);
  const type = isSimple ? 'certs-only' : 'CMC-response';
  const der = isSimple ? certificatesOnly(distinct(response.certificates)) : writeFullResponse(response, identity);
  return {
    status: httpStatus,
    contentType: `application/pkcs7-mime; smime-type=${type}`,
    body: encodeBody(der),
    headers,
    outcome,
  };
}

// RFC 5272 §3.2: simple if it was successful and only certificates are returned.
function isSimpleEnough({ statuses, certificates, returned, isFull }: CmcResponse): boolean {
  const returnsNothing = Object.values(returned).every((value) => value === undefined);
  return !isFull && returnsNothing && certificates.length > 0 && statuses.every(({ status }) => status === 'success');
}

/** ContentInfo with SignedData around PKIResponse, DER. */
export function writeFullResponse(
  { statuses, certificates, returned }: Pick<CmcResponse, 'statuses' | 'certificates' | 'returned'>,
  { certificate, key, certificates: own }: SigningIdentity,
): Uint8Array {
  const { transactionId, senderNonce, dataReturn } = returned;
  const controls: (readonly [type: string, value: Uint8Array])[] = [
    ...statuses.map((status) => [cmcControls.statusInfoV2, writeStatusInfo(status)] as const),
    ...(transactionId === undefined ? [] : [[cmcControls.transactionId, transactionId] as const]),
    // RFC 5272 §6.6: the nonce of the sender comes back as that of the recipient, and a new one goes with it.
    ...(senderNonce === undefined
      ? []
      : [
          [cmcControls.recipientNonce, senderNonce] as const,
          [cmcControls.senderNonce, octetString(randomBytes(nonceOctets))] as const,
        ]),
    ...(dataReturn === undefined ? [] : [[cmcControls.dataReturn, dataReturn] as const]),
  ];
  const controlSequence = sequence(
    ...controls.map(([type, value], index) => sequence(integer(index + 1), objectIdentifier(type), setOf([value]))),
  );
  return createSignedData({
    content: sequence(controlSequence, sequence(), sequence()),
    contentType: contentTypes.pkiResponse,
    signer: { certificate, key },
    certificates: distinct([...certificates, ...own]),
  });
}

function distinct(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(certificates.map((der) => [Buffer.from(der).toString('base64'), der])).values()];
}
