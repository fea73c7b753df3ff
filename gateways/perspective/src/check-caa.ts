// Looks for permission to issue for one name, and says what was found where (RFC 8659, RFC 8657; mpic.md §1).
import type { CheckCaaRequest } from '@gatehouse/ra-client/perspective';
import { lookForCaa } from './caa.ts';
import { createFinding, type Finding } from './finding.ts';
import { type Look, type LookingParts, startLook } from './looking.ts';
import { type Outcome, unseen } from './outcome.ts';
import { type CaaQuestion, readCaaRequest } from './request.ts';

/** What came of it; `caa` is always there. */
export type CaaFinding = Finding;

/**
 * Looks once, within the deadline. What the network does never makes it reject: it is in the finding.
 *
 * @throws {MalformedRequestError} when the request is none that a statement can be made of
 */
export async function checkCaa(parts: LookingParts, request: CheckCaaRequest, deadline: Date): Promise<CaaFinding> {
  const question = readCaaRequest(request);
  const started = parts.clock.now();
  const look = startLook(parts, deadline, false);
  const outcome = await lookSafely(look, question);
  const { thumbprint } = question;
  const finished = parts.clock.now();
  return createFinding(question, { check: 'caa', thumbprint, lookups: look.lookups, outcome, started, finished });
}

// As in check-domain-control.ts: a defect of ours is signed as one, and never is permission.
async function lookSafely(look: Look, question: CaaQuestion): Promise<Outcome> {
  const { identifier, isWildcard, method, accountUri } = question;
  try {
    return await lookForCaa(look, { name: identifier.value, isWildcard, method, accountUri });
  } catch (err) {
    look.parts.log.error({ err, identifier }, 'a check failed of itself');
    const issuerDomainNames = look.parts.issuerDomainNames.slice(0, 10);
    const caa = { decision: 'error' as const, issuerDomainNames, lookup: 'failed' as const };
    return unseen('serverInternal', 'the perspective failed', { caa });
  }
}
