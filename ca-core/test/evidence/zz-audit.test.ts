import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, it } from 'node:test';
import { enroll } from '../../src/enrollment/pipeline.ts';
import { contextOf } from '../support/keep.ts';
import { enrollmentOf, evidenceFor, issuer, newAccount, openWorkshop } from './workshop.ts';

const workshop = await openWorkshop(['dublin', 'ohio', 'tokyo']);
after(() => workshop.close());
const { keep } = workshop;
const victim = newAccount();
const attacker = { ...newAccount(), url: victim.url };
function hash(domain: string, thumbprint: string, url: string) {
  return createHash('sha256')
    .update(Uint8Array.of(Buffer.byteLength(domain)))
    .update(domain)
    .update(thumbprint)
    .update(url)
    .digest('base64url');
}
it('draft-02 record of victim, thumbprints [attacker, victim]', async () => {
  const expected = `${issuer}; accounturi=https://acme.example/sha-256/${hash('victim.example', victim.jwk.thumbprint, victim.url)}; policy=wildcard`;
  const statements = evidenceFor(workshop, {
    account: attacker,
    name: 'victim.example',
    method: 'dns-persist-01',
    changes: { expected, coversSubdomains: true },
  });
  // caa statements carry expected too, drop is not needed
  await assert.rejects(
    async () => {
      const a = await enroll(
        keep,
        contextOf(workshop.keep ? (workshop as any) : undefined),
        enrollmentOf({ names: ['victim.example'], account: attacker, statements }),
      );
      console.log(a.kind);
    },
    (e) => {
      console.log(String(e));
      return true;
    },
  );
});
it('draft-01 record', async () => {
  const expected = `${issuer}; accounturi=${victim.url}`;
  const statements = evidenceFor(workshop, {
    account: attacker,
    name: 'victim.example',
    method: 'dns-persist-01',
    changes: { expected },
  });
  await assert.rejects(
    async () => {
      const a = await enroll(
        keep,
        contextOf(workshop.keep ? (workshop as any) : undefined),
        enrollmentOf({ names: ['victim.example'], account: attacker, statements }),
      );
      console.log(a.kind);
    },
    (e) => {
      console.log(String(e));
      return true;
    },
  );
});
