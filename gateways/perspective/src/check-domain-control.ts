// Validates control of one identifier by one method, and says everything that was seen. What must be found is made here,
// of token, thumbprint and account URI; a caller cannot have something found that is there anyway (mpic.md §2.1).
import { createHash } from 'node:crypto';
import type { CheckDomainControlRequest } from '@gatehouse/ra-client/perspective';
import { accountChallengeRecordName, challengeRecordName, lookByTxt } from './dns-01.ts';
import { createFinding, type Finding } from './finding.ts';
import { lookByHttp } from './http-01.ts';
import { type Look, type LookingParts, startLook } from './looking.ts';
import { type Outcome, unseen } from './outcome.ts';
import { type DomainControlQuestion, readDomainControlRequest } from './request.ts';

/** What came of it. */
export type ControlFinding = Finding;

/**
 * Looks once, within the deadline. What the network does never makes it reject: it is in the finding.
 *
 * @throws {MalformedRequestError} when the request is none that a statement can be made of
 */
export async function checkDomainControl(
  parts: LookingParts,
  request: CheckDomainControlRequest,
  deadline: Date,
): Promise<ControlFinding> {
  const question = readDomainControlRequest(request);
  const started = parts.clock.now();
  const look = startLook(parts, deadline, question.method === 'http-01' || question.method === 'tls-alpn-01');
  const expectation = expect(question);
  const outcome = await lookSafely(look, question, expectation);
  const [thumbprint] = question.thumbprints;
  return createFinding(question, {
    check: 'dcv',
    thumbprint,
    token: expectation?.token,
    expected: expectation?.digest,
    lookups: look.lookups,
    outcome,
    started,
    finished: parts.clock.now(),
  });
}

/** RFC 8555 §8.1, §8.4: key authorization and its digest in base64url. */
type Expectation = { readonly token: string; readonly keyAuthorization: string; readonly digest: string };

function expect(question: DomainControlQuestion): Expectation | undefined {
  if (question.method === 'dns-persist-01') return undefined;
  const { token, thumbprints } = question;
  const keyAuthorization = `${token}.${thumbprints[0]}`;
  return { token, keyAuthorization, digest: createHash('sha256').update(keyAuthorization).digest('base64url') };
}

// A defect of ours must be signed as one, not leave an attempt without a statement.
async function lookSafely(
  look: Look,
  question: DomainControlQuestion,
  expectation: Expectation | undefined,
): Promise<Outcome> {
  try {
    return await lookBy(look, question, expectation);
  } catch (err) {
    look.parts.log.error({ err, method: question.method, identifier: question.identifier }, 'a check failed of itself');
    return unseen('serverInternal', 'the perspective failed', {});
  }
}

function lookBy(look: Look, question: DomainControlQuestion, expectation: Expectation | undefined): Promise<Outcome> {
  const { method, identifier } = question;
  if (method === 'dns-persist-01' || expectation === undefined) throw new Error(`${method}: not expected here`);
  switch (method) {
    case 'http-01':
      return lookByHttp(look, identifier.value, expectation.token, expectation.keyAuthorization);
    case 'dns-01':
      return lookByTxt(look, challengeRecordName(identifier.value), expectation.digest);
    case 'dns-account-01':
      return lookByTxt(look, accountChallengeRecordName(identifier.value, question.accountUri), expectation.digest);
    case 'tls-alpn-01':
      throw new Error('tls-alpn-01: not expected here');
  }
}
