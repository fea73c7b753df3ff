// POST /fullcmc, RFC 7030 §4.3: a Full PKI Request (RFC 5272 §3.2) is verified, its asker identified, and its certification
// requests, queries and revocations done in this order. Every refusal is a signed CMC response with a status of its own.

import { EstError } from '@gatehouse/gateway-kit/est/error';
import { readSignedData, type SignedData } from '@gatehouse/pkix/cms/signed-data';
import { contentTypes } from '@gatehouse/pkix/object-identifiers';
import { decodeBody, TransferEncodingError } from '@gatehouse/pkix/transfer-encoding';
import type { Identify } from '../authenticate.ts';
import type { EstAnswer, EstExchange } from '../exchange.ts';
import type { EstGate } from '../gate.ts';
import { type Asker, identifyAsker, judgeSigner } from './asker.ts';
import { type CmcRequest, provePossession, readRequests } from './certification-requests.ts';
import { type Controls, readControls, readReturnedControls } from './controls.ts';
import { enrollRequest, prepareRequests } from './enrollment.ts';
import { CmcFailure, toCmcFailure } from './failure.ts';
import { verifyIdentityProof } from './identity-proof.ts';
import { verifyMessageSigner } from './message-signer.ts';
import { findEnrollment } from './pending.ts';
import { readPkiData } from './pki-data.ts';
import { answerCmc } from './pki-response.ts';
import { verifyPopLinks } from './pop-link-witness.ts';
import { createProgress, type Progress } from './progress.ts';
import { type Revoker, revokeCertificate } from './revocation.ts';

/** Largest body and largest message, octets. */
export const maximumMessageOctets = 65_536;

const pemLabels = ['CMS', 'PKCS7'];

/** Answers POST /fullcmc. @throws {EstError} `too-large` */
export async function fullCmc(gate: EstGate, exchange: EstExchange, identify: Identify): Promise<EstAnswer> {
  const progress = createProgress(gate.clock);
  try {
    await process(gate, exchange, identify, progress);
  } catch (error) {
    // What is too large is refused before it is read as CMC, est.md §5.
    if (error instanceof EstError && error.code === 'too-large') throw error;
    const failure = toCmcFailure(error);
    if (failure === undefined) throw error;
    if (failure.cause !== undefined) exchange.note({ cause: String(failure.cause) });
    progress.failed(failure);
  }
  return answerCmc(progress.response(), gate.signingIdentity());
}

async function process(gate: EstGate, exchange: EstExchange, identify: Identify, progress: Progress): Promise<void> {
  const message = readMessage(exchange.body);
  const data = readPkiData(message.content);
  progress.returns(readReturnedControls(data.controls));
  const requests = readRequests(data.requests);
  const signer = verifyMessageSigner(message.signedData, requests, shownCertificates(exchange));
  const controls = readControls(data.controls);
  demandWork(requests, controls, signer.kind !== 'none');
  provePossession(requests);
  const holder = verifyIdentityProof(gate.sharedSecrets, exchange, data, controls);
  const signerVerdict = await judgeSigner(gate, exchange, signer, requests);
  if (signerVerdict.verdict.kind === 'refused') exchange.note({ signer: signerVerdict.verdict.reason });

  let asker: Asker | undefined;
  const findAsker = async (): Promise<Asker> => {
    asker ??= await identifyAsker(exchange, identify, signerVerdict, holder);
    return asker;
  };
  const { queryPending: queries, revokeRequests } = controls;
  progress.begins([...requests, ...queries, ...revokeRequests].map(({ bodyPartId }) => bodyPartId));
  if (requests.length > 0) await enroll(gate, exchange, progress, await findAsker(), requests, controls);
  for (const query of queries) {
    progress.enrolled(query.bodyPartId, await findEnrollment(gate, exchange, await findAsker(), query), true);
  }
  const client = signerVerdict.verdict.kind === 'accepted' ? signerVerdict.verdict.client : undefined;
  const revoker: Revoker = {
    signer: client?.kind === 'own' ? client : undefined,
    identify: async () => (await findAsker()).identity,
  };
  for (const request of revokeRequests) {
    progress.revoked(await revokeCertificate(gate, exchange, revoker, request));
  }
}

async function enroll(
  gate: EstGate,
  exchange: EstExchange,
  progress: Progress,
  asker: Asker,
  requests: readonly CmcRequest[],
  controls: Controls,
): Promise<void> {
  const areLinked = verifyPopLinks(gate.sharedSecrets, requests, controls, asker.identity.holder);
  const prepared = await prepareRequests(gate, exchange, asker, requests, areLinked);
  for (const request of prepared) {
    progress.enrolled(request.bodyPartId, await enrollRequest(gate, exchange, asker, request), false);
  }
}

type Message = { readonly signedData: SignedData; readonly content: Uint8Array };

// RFC 5272 §3.2: SignedData around PKIData. AuthenticatedData, the other form, and encryption of the whole (§5) are not
// offered: TLS does what they are for.
function readMessage(body: Uint8Array): Message {
  const der = decode(body);
  const signedData = readSignedData(der);
  const { contentType, content } = signedData;
  if (contentType !== contentTypes.pkiData || content === undefined) {
    throw new CmcFailure('badRequest', 'the message is no SignedData around PKIData');
  }
  return { signedData, content };
}

function decode(body: Uint8Array): Uint8Array {
  try {
    return decodeBody(body, { pemLabels, maximumDer: maximumMessageOctets });
  } catch (error) {
    if (!(error instanceof TransferEncodingError)) throw error;
    throw new EstError(error.code, error.detail, { cause: error });
  }
}

function shownCertificates({ peer: { certificate, chain } }: EstExchange): readonly Uint8Array[] {
  return certificate === undefined ? [] : [certificate, ...chain];
}

function demandWork(requests: readonly CmcRequest[], controls: Controls, isSigned: boolean): void {
  const { queryPending: queries, revokeRequests } = controls;
  if (requests.length + queries.length + revokeRequests.length === 0) {
    throw new CmcFailure('badRequest', 'the message asks for nothing');
  }
  // RFC 5272 §6.11: only a revocation by a shared secret may be signed by nobody.
  const needsNoSignature =
    requests.length + queries.length === 0 && revokeRequests.every(({ sharedSecret }) => sharedSecret !== undefined);
  if (!isSigned && !needsNoSignature) throw new CmcFailure('badMessageCheck', 'nobody signed the message');
}
