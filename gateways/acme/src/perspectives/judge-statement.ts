// Reads what a remote perspective answered and finds out whether it is its statement about what was asked. The keep judges
// every statement again and believes none of this; the gate looks so that a lying perspective is named at once, by what
// it did, before its statement spoils an order.

import { createHash } from 'node:crypto';
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { parseJson } from '@gatehouse/pkix/jose/json';
import { jwkOfKey, type PublicJwk } from '@gatehouse/pkix/jose/jwk';
import type { Jws } from '@gatehouse/pkix/jose/jws';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import type { Attempt } from '@gatehouse/ra-client/perspective';
import {
  maximumStatementOctets,
  type StatementPayload,
  statementPayloadSchema,
  statementType,
} from '@gatehouse/ra-client/perspective-statement';
import type { CheckKind, Finding, ValidationSubject } from './check.ts';
import type { RemotePerspective, StatementKey } from './registry.ts';

/** What was asked, of whom, and when. */
export type Question = {
  readonly check: CheckKind;
  readonly attempt: Attempt;
  readonly subject: ValidationSubject;
  readonly askedAt: Date;
};

/** Clocks of two machines may differ by so much. */
const skewMs = 60_000;

const holderPrefix = 'spiffe://gatehouse.internal/perspective/';

/** Judges an answer. @param now when it came */
export function judgeStatement(
  perspective: RemotePerspective,
  question: Question,
  statement: string,
  now: Date,
): Finding {
  const { name } = perspective;
  try {
    const jws = readCompactJws(statement, { maximumOctets: maximumStatementOctets });
    const payload = readPayload(jws);
    const cause =
      payload === undefined
        ? 'its payload is no statement'
        : (judgeSignature(perspective, jws, payload) ??
          judgeLabels(perspective, payload) ??
          judgeAnswer(question, payload, now));
    if (payload !== undefined && cause === undefined) return { kind: 'stated', name, statement, payload };
    return { kind: 'unbelievable', name, statement, cause: cause ?? 'its payload is no statement' };
  } catch (error) {
    if (!(error instanceof JoseError)) throw error;
    return { kind: 'unbelievable', name, statement, cause: error.message };
  }
}

/** What a statement says; undefined when it does not have the form of one. Throws JoseError. */
export function readStatement(statement: string): StatementPayload | undefined {
  return readPayload(readCompactJws(statement, { maximumOctets: maximumStatementOctets }));
}

function readPayload({ payload }: Jws): StatementPayload | undefined {
  return statementPayloadSchema.safeParse(parseJson(payload)).data;
}

const publicKeys = new WeakMap<StatementKey['key'], PublicJwk>();

function judgeSignature(perspective: RemotePerspective, jws: Jws, payload: StatementPayload): string | undefined {
  const { alg, typ, kid } = jws.protectedHeader;
  if (alg !== 'ES256') return `it is signed by ${alg.slice(0, 16)} instead of ES256`;
  if (typ !== statementType) return 'what it signed is no statement';
  const key = perspective.keys.find(({ keyId }) => keyId === kid);
  if (key === undefined) return 'it is signed with a key that is not registered for this perspective';
  if (key.revokedAt !== undefined) return 'it is signed with a revoked key';
  const finished = Date.parse(payload.finished);
  const from = key.activeFrom?.getTime() ?? 0;
  const until = key.retiredAt?.getTime() ?? Number.POSITIVE_INFINITY;
  if (finished < from - skewMs || finished > until + skewMs) return 'its key was not active when it was made';
  const publicKey = publicKeys.get(key.key) ?? jwkOfKey(key.key);
  publicKeys.set(key.key, publicKey);
  return verifyJws({ alg, key: publicKey, signingInput: jws.signingInput, signature: jws.signature })
    ? undefined
    : 'its signature does not verify';
}

function judgeLabels({ name, site, rir }: RemotePerspective, payload: StatementPayload): string | undefined {
  if (payload.perspective !== holderPrefix + name) return `it says that it is ${payload.perspective}`;
  if (payload.site !== site) return `it says that it stands at '${payload.site}', registered is '${site}'`;
  if (payload.rir !== rir) return `it says that it is in the region '${payload.rir}', registered is '${rir}'`;
  return undefined;
}

function judgeAnswer(
  { check, attempt, subject, askedAt }: Question,
  payload: StatementPayload,
  now: Date,
): string | undefined {
  const about = (what: string) => `it is about another ${what}`;
  const { identifier, method, accountUrl, thumbprints, token } = subject;
  if (payload.check !== check) return about('check');
  if (payload.attempt !== attempt.id) return about('attempt');
  if (payload.perspectives.join() !== attempt.perspectives.join()) return 'it names other perspectives for the attempt';
  if (payload.order !== attempt.order || payload.authorization !== attempt.authorization) return about('authorization');
  if (payload.identifier.type !== identifier.type || payload.identifier.value !== identifier.value)
    return about('name');
  if (payload.isWildcard !== identifier.isWildcard) return about('name: wildcard or not');
  if (payload.method !== method) return about('method');
  if (payload.account !== accountUrl) return about('account');
  const isPersistent = method === 'dns-persist-01';
  const candidates = isPersistent && check === 'dcv' ? thumbprints : [thumbprints[0]];
  if (!candidates.includes(payload.thumbprint)) return about('account key');
  if (check === 'dcv' && !isPersistent) {
    if (payload.token !== token) return about('token');
    const expected = createHash('sha256').update(`${token}.${thumbprints[0]}`).digest('base64url');
    if (payload.result === 'pass' && payload.expected !== expected) return 'it found another key authorization';
  }
  const [started, finished] = [Date.parse(payload.started), Date.parse(payload.finished)];
  if (finished < started || started < askedAt.getTime() - skewMs || finished > now.getTime() + skewMs) {
    return `its times are wrong: ${payload.started} to ${payload.finished}`;
  }
  return undefined;
}
