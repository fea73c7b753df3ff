// Statements of strangers: whatever a perspective sends, the gate says what is wrong with it and goes on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeStatement } from '../../src/perspectives/judge-statement.ts';
import { createDouble, subjectOf } from '../support/perspectives.ts';

const subject = subjectOf();
const attempt = {
  id: 'a'.repeat(22),
  order: subject.orderId,
  authorization: subject.authorizationId,
  perspectives: ['x'],
};

async function ask() {
  const double = createDouble('x');
  const { identifier, method, token, thumbprints, accountUrl } = subject;
  const request = {
    attempt,
    identifier,
    method,
    token,
    thumbprints: [...thumbprints],
    accountUri: accountUrl,
    variant: '',
  };
  const askedAt = new Date();
  const statement = await double.perspective.client.checkDomainControl(request, new Date(Date.now() + 1_000));
  const judge = (text: string, perspective = double.perspective) =>
    judgeStatement(perspective, { check: 'dcv', attempt, subject, askedAt }, text, new Date());
  return { double, statement, judge };
}

describe('mpic.md §4: what the gate believes', () => {
  it('is a statement as it was asked for', async () => {
    const { statement, judge } = await ask();
    assert.equal(judge(statement).kind, 'stated');
  });

  it('is nothing that was signed with a key after it was revoked, or when it was not active', async () => {
    const { double, statement, judge } = await ask();
    const { perspective } = double;
    const withKey = (changes: object) => ({
      ...perspective,
      keys: perspective.keys.map((key) => ({ ...key, ...changes })),
    });
    assert.equal(judge(statement, withKey({ revokedAt: new Date() })).kind, 'unbelievable');
    assert.equal(judge(statement, withKey({ retiredAt: new Date(Date.now() - 120_000) })).kind, 'unbelievable');
    assert.equal(judge(statement, withKey({ activeFrom: new Date(Date.now() + 120_000) })).kind, 'unbelievable');
    assert.equal(judge(statement, withKey({ retiredAt: new Date(Date.now() + 1_000) })).kind, 'stated');
  });

  it('is nothing else, and no text makes judging fail', async () => {
    const { statement, judge } = await ask();
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(part, part, part).map((parts) => parts.join('.')),
        ),
        (text) => {
          assert.equal(judge(text).kind, 'unbelievable');
        },
      ),
    );
    fc.assert(
      fc.property(fc.nat(statement.length - 1), fc.constantFrom('A', 'z', '0', '.', '=', ' '), (at, character) => {
        const changed = statement.slice(0, at) + character + statement.slice(at + 1);
        if (changed !== statement) assert.equal(judge(changed).kind, 'unbelievable');
      }),
      { numRuns: 300 },
    );
  });
});
