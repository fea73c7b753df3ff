// The whole way with enforcement on: client, gate, its own perspective and two more processes, and the keep, which issues on
// the word of signed statements alone. What is looked at are real servers on loopback.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AcmeClient } from './support/client.ts';
import {
  type Applicant,
  authorizationsOf,
  challengeOf,
  dns,
  issue,
  order,
  read,
  settled,
  validate,
} from './support/issuing.ts';
import { pollUntil } from './support/poll.ts';
import { type NameServer, startNameServer, startWebServer, type WebServer } from './support/responders.ts';
import { type RunningUp, startUp } from './support/running-up.ts';

let names: NameServer;
let web: WebServer;
let up: RunningUp;
let applicant: Applicant;

before(async () => {
  names = await startNameServer();
  web = await startWebServer();
  up = await startUp([
    `acme.validation.httpPort=${web.port}`,
    `acme.validation.resolver=${names.address}`,
    'core.validation.issuerDomainNames=["ca.example"]',
  ]);
  const client = new AcmeClient({ directory: up.acme, trustAnchor: up.trustAnchor });
  applicant = { client, account: await client.account(), names, web };
});
after(async () => {
  applicant?.client.close();
  await up?.stop();
  await web?.close();
  names?.close();
});

describe('mpic.md §3: issuance with enforcement', () => {
  it('goes through by http-01, and the operator can verify what each perspective signed', async () => {
    const made = await validate(applicant, dns('www.demo.test', 'mail.demo.test'), 'http-01');
    const [leaf, issuer] = await issue(applicant, made, ['DNS:www.demo.test', 'DNS:mail.demo.test']);
    assert.ok(leaf !== undefined && issuer !== undefined);
    assert.ok(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey));
    assert.match(leaf.subjectAltName ?? '', /www\.demo\.test/);
    const quorums = up.log('acme').filter(({ msg, verdict }) => msg === 'mpic' && verdict === 'pass');
    assert.ok(
      quorums.some(
        ({ identifier, check, quorum }) => identifier === 'www.demo.test' && check === 'caa' && quorum === '2/2',
      ),
    );
    const evidence = await up.run('evidence', 'show', leaf.serialNumber);
    for (const who of ['here-a', 'here-b', 'acme']) assert.match(evidence, new RegExp(who));
  });

  it('goes through for a wildcard and its name by dns-01', async () => {
    const first = await validate(applicant, dns('*.wild.demo.test'), 'dns-01');
    const [leaf] = await issue(applicant, first, ['DNS:*.wild.demo.test']);
    assert.match(leaf?.subjectAltName ?? '', /\*\.wild\.demo\.test/);
  });

  it('goes through for an address by http-01 (RFC 8738)', async () => {
    const made = await validate(applicant, [{ type: 'ip', value: '127.0.0.1' }], 'http-01');
    const [leaf] = await issue(applicant, made, ['IP:127.0.0.1']);
    assert.match(leaf?.subjectAltName ?? '', /127\.0\.0\.1/);
  });

  it('goes through where CAA names this CA, the account and the method (RFC 8657)', async () => {
    names.setCaa('ours.test', [
      [0, 'issue', `ca.example; accounturi=${applicant.account.kid}; validationmethods=http-01`],
    ]);
    const made = await validate(applicant, dns('a.ours.test'), 'http-01');
    assert.equal((await issue(applicant, made, ['DNS:a.ours.test'])).length > 1, true);
  });

  it('is refused where CAA names another CA, with where that was found (RFC 8659 §3)', async () => {
    names.setCaa('theirs.test', [[0, 'issue', 'other.example']]);
    const made = await validate(applicant, dns('www.theirs.test'), 'http-01');
    const over = await settled(applicant, made.headers.location);
    assert.equal(over.status, 'invalid');
    const [url = ''] = authorizationsOf(made);
    const { error } = await challengeOf(applicant, url, 'http-01');
    assert.equal(error?.type, 'urn:ietf:params:acme:error:caa');
    assert.match(String(error?.detail), /theirs\.test/);
  });

  it('is refused where CAA cannot be looked for: SERVFAIL is never permission', async () => {
    names.break('broken.test');
    const made = await validate(applicant, dns('www.broken.test'), 'http-01');
    assert.equal((await settled(applicant, made.headers.location)).status, 'invalid');
  });

  it('is refused when what is found is not the key authorization, with what was found and where', async () => {
    const made = await order(applicant, dns('wrong.demo.test'));
    const [url = ''] = authorizationsOf(made);
    const challenge = await challengeOf(applicant, url, 'http-01');
    web.set(challenge.token, 'somebody else');
    await applicant.client.post(challenge.url, {}, applicant.account);
    await settled(applicant, url);
    const { error } = await challengeOf(applicant, url, 'http-01');
    assert.equal(error?.type, 'urn:ietf:params:acme:error:incorrectResponse');
    assert.match(String(error?.detail), /somebody else/);
    assert.match(String(error?.detail), /127\.0\.0\.1/);
  });
});

describe('acme.md §3, rule 7: crashes', () => {
  it('of one perspective in the middle of an attempt leave the other one, which is enough', async () => {
    up.crash('perspective-here-b');
    const made = await validate(applicant, dns('crash.demo.test'), 'http-01');
    assert.equal((await issue(applicant, made, ['DNS:crash.demo.test'])).length > 1, true);
    // It comes back at another address, which the gate finds out from the keep.
    await pollUntil(async () => {
      const name = `back${Date.now()}.demo.test`;
      await settled(applicant, (await validate(applicant, dns(name), 'http-01')).headers.location);
      return up.log('acme').some(({ identifier, quorum }) => identifier === name && quorum === '2/2')
        ? true
        : undefined;
    });
  });

  it('of the gate in the middle of a validation lose nothing: it is taken up when the lease ends', async () => {
    const made = await order(applicant, dns('killed.demo.test'));
    const [url = ''] = authorizationsOf(made);
    const challenge = await challengeOf(applicant, url, 'http-01');
    web.set(challenge.token, `${challenge.token}.${applicant.account.public.thumbprint}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen = web.hold(challenge.token, promise);
    await applicant.client.post(challenge.url, {}, applicant.account);
    await seen;
    up.crash('acme');
    resolve();
    const decided = await pollUntil(async () => {
      const order = await read(applicant, made.headers.location).catch(() => undefined);
      return order === undefined || order.status === 'pending' ? undefined : order;
    }, 45_000);
    assert.equal(decided.status, 'ready');
  });
});

describe('mpic.md §4: perspectives that an operator takes away', () => {
  it('leave orders failing as our fault, with an alarm, when the rest is too few', async () => {
    await up.run('perspective', 'disable', 'here-b');
    // The list of perspectives is looked at again after a few seconds.
    const failing = await pollUntil(async () => {
      const made = await validate(applicant, dns(`n${Date.now()}.demo.test`), 'http-01');
      const decided = await settled(applicant, made.headers.location);
      return decided.status === 'invalid' ? decided : undefined;
    });
    assert.match(JSON.stringify(failing.error), /serverInternal/);
    assert.ok(
      up.log('acme').some(({ level, msg }) => level === 'error' && /too few distinct perspectives/.test(String(msg))),
    );
  });
});
