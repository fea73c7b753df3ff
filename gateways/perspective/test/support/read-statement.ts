// Verifies a statement as the keep does: type, algorithm, key and form.

import assert from 'node:assert/strict';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { parseJson } from '@gatehouse/pkix/jose/json';
import type { PublicJwk } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import {
  type StatementPayload,
  statementPayloadSchema,
  statementType,
} from '@gatehouse/ra-client/perspective-statement';

/** What it says. Fails the test when it does not verify. */
export function readStatement(statement: string, key: PublicJwk): StatementPayload {
  const { protectedHeader, payload, signingInput, signature } = readCompactJws(statement);
  assert.deepEqual(protectedHeader, { alg: 'ES256', typ: statementType, kid: key.thumbprint });
  assert.ok(verifyJws({ alg: 'ES256', key, signingInput, signature }), 'the statement must verify');
  const value = parseJson(payload);
  assert.equal(Buffer.from(payload).toString('utf8'), canonicalJson(value));
  return statementPayloadSchema.parse(value);
}
