/**
 * One signed statement of a perspective, taken apart (mpic.md §2). What is read here is only a claim: whose key signed it,
 * and whether it counts, is judged in judge-statement.ts.
 */
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { JoseError } from '@gatehouse/pkix/jose/error';
import type { Jws } from '@gatehouse/pkix/jose/jws';
import {
  maximumStatementOctets,
  type StatementPayload,
  statementPayloadSchema,
  statementType,
} from '@gatehouse/proto/perspective-statement';
import { callerNameForm } from '../registry/caller.ts';

/** A statement whose form is right. */
export type Statement = {
  /** Compact JWS, as received. */
  readonly octets: Uint8Array;
  readonly jws: Jws;
  /** `kid`. */
  readonly keyId: string;
  readonly payload: StatementPayload;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly finishedAt: number;
};

/** A statement whose form is wrong. */
export type UnreadableStatement = { readonly fault: string };

/** Takes a statement apart; nothing is verified. @param text the octets as Latin-1, when they have been read already */
export function readStatement(
  octets: Uint8Array,
  text: string = Buffer.from(octets).toString('latin1'),
): Statement | UnreadableStatement {
  if (octets.length > maximumStatementOctets) return { fault: `has more than ${maximumStatementOctets} octets` };
  try {
    return readParts(octets, readCompactJws(text));
  } catch (error) {
    if (error instanceof JoseError) return { fault: error.detail };
    throw error;
  }
}

function readParts(octets: Uint8Array, jws: Jws): Statement | UnreadableStatement {
  const { alg, kid, typ, ...others } = jws.protectedHeader;
  if (alg !== 'ES256') return { fault: 'is not signed with ES256' };
  // Another `typ` is another promise: what a key signed elsewhere must not pass for a statement (RFC 8725 §3.11).
  if (typ !== statementType) return { fault: `is not of type ${statementType}` };
  if (typeof kid !== 'string' || Object.keys(others).length > 0) {
    return { fault: 'has other header members than alg, typ and kid' };
  }
  const payload = readPayload(jws.payload);
  if (payload === undefined) return { fault: 'does not have the form of a statement in canonical JSON' };
  // Sorted names, each once: how many perspectives were used must not depend on who counts them.
  const { perspectives } = payload;
  if (!perspectives.every((name, i) => callerNameForm.test(name) && (i === 0 || name > (perspectives[i - 1] ?? '')))) {
    return { fault: "has 'perspectives' that are not names in order" };
  }
  const [startedAt, finishedAt] = [Date.parse(payload.started), Date.parse(payload.finished)];
  return { octets, jws, keyId: kid, payload, startedAt, finishedAt };
}

// A text with white space, needless escapes or a member twice could be read in two ways; canonical JSON (RFC 8785) has none.
function readPayload(octets: Uint8Array): StatementPayload | undefined {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8');
  const value = parse(text);
  if (JSON.stringify(value) !== text) return undefined;
  return statementPayloadSchema.safeParse(value).data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
