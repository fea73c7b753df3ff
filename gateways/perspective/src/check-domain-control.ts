// Validates control of one identifier by one method, and says everything that was seen. What must be found is made here,
// of token, thumbprint and account URI; a caller cannot have something found that is there anyway (mpic.md §2.1).
import { createHash } from 'node:crypto';
import type { CheckDomainControlRequest } from '@gatehouse/ra-client/perspective';
import { accountChallengeRecordName, challengeRecordName, lookByTxt } from './dns-01.ts';
import { lookByPersistentTxt } from './dns-persist-01.ts';
import { createFinding, type Finding } from './finding.ts';
import { lookByHttp } from './http-01.ts';
import { type Look, type LookingParts, startLook } from './looking.ts';
import { type Outcome, unseen } from './outcome.ts';
import { type DomainControlQuestion, readDomainControlRequest, type TokenQuestion } from './request.ts';
import { lookByTls } from './tls-alpn-01.ts';

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
  const outcome = await lookSafely(look, question);
  const found = { check: 'dcv', thumbprint: question.thumbprints[0], lookups: look.lookups, outcome, started } as const;
  const finished = parts.clock.now();
  if (question.method === 'dns-persist-01') return createFinding(question, { ...found, finished });
  const { token } = question;
  return createFinding(question, { ...found, token, expected: base64urlDigest(keyAuthorization(question)), finished });
}

/** RFC 8555 §8.1. */
function keyAuthorization({ token, thumbprints }: TokenQuestion): string {
  return `${token}.${thumbprints[0]}`;
}

/** RFC 8555 §8.4. */
function base64urlDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

// A defect of ours must be signed as one, not leave an attempt without a statement.
async function lookSafely(look: Look, question: DomainControlQuestion): Promise<Outcome> {
  try {
    return await lookBy(look, question);
  } catch (err) {
    look.parts.log.error({ err, method: question.method, identifier: question.identifier }, 'a check failed of itself');
    return unseen('serverInternal', 'the perspective failed', {});
  }
}

async function lookBy(look: Look, question: DomainControlQuestion): Promise<Outcome> {
  const { identifier, accountUri, isWildcard, thumbprints } = question;
  const name = identifier.value;
  if (question.method === 'dns-persist-01') {
    return lookByPersistentTxt(look, { name, isWildcard, accountUri, thumbprints, variant: question.variant });
  }
  const expected = keyAuthorization(question);
  switch (question.method) {
    case 'http-01':
      return lookByHttp(look, name, question.token, expected);
    case 'dns-01':
      return lookByTxt(look, challengeRecordName(name), base64urlDigest(expected));
    case 'dns-account-01':
      return lookByTxt(look, accountChallengeRecordName(name, accountUri), base64urlDigest(expected));
    case 'tls-alpn-01':
      return lookByTls(look, identifier, createHash('sha256').update(expected).digest());
  }
}
