// 5,000 random and damaged requests over the wire against every resource: each is answered with a problem document or with
// what the right request would get, never with a 5xx, and what is refused leaves nothing behind.

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { AcmeClient, base64url, type HttpAnswer, macJws, newSigner, type Signer, signJws } from './support/client.ts';
import { startCore, type TestCore } from './support/core.ts';
import { acmeJson, damage, damages, replaceMember } from './support/fuzz.ts';
import { startGate, type TestGate } from './support/gate.ts';
import { createSteps, csrOf, type MadeOrder, type Obtained } from './support/orders.ts';
import { createDouble } from './support/perspectives.ts';
import { readProblem } from './support/problem.ts';

const jose = { 'content-type': 'application/jose+json' };
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** What the requests are about: each resource there is, in a state in which it can be asked for something. */
type Scene = {
  readonly account: Signer;
  readonly pending: MadeOrder;
  readonly authorization: string;
  readonly challenge: string;
  readonly ready: MadeOrder;
  readonly obtained: Obtained;
};

describe('hostile input over the wire', () => {
  let core: TestCore;
  let gate: TestGate;
  let client: AcmeClient;
  let database: DatabaseSync;
  let scene: Scene;
  let requests = 0;
  let names = 0;

  before(async () => {
    core = await startCore();
    const { perspective } = createDouble('acme', { site: '', holder: 'spiffe://gatehouse.internal/ra/acme' });
    gate = await startGate({
      core,
      acme: { database: { file: 'state-fuzz/acme.db' } },
      seams: { createPrimary: () => ({ ...perspective.client, problems: () => [] }) },
    });
    client = new AcmeClient(gate);
    database = new DatabaseSync(`${core.directory}/state-fuzz/acme.db`, { readOnly: true });
    scene = await setScene();
  });
  after(async () => {
    database?.close();
    client?.close();
    await gate?.stop();
    await core?.stop();
  });

  const setScene = async (): Promise<Scene> => {
    const steps = createSteps(client);
    const account = await client.account();
    const name = () => `f${++names}.example.com`;
    const pending = await steps.order(account, [name()]);
    const [authorization = ''] = pending.json.authorizations;
    const { challenges } = (await client.post(authorization, undefined, account)).json();
    assert.ok(Array.isArray(challenges));
    const ready = await steps.ready(account, [name()]);
    const obtained = await steps.obtain(account, [name()]);
    return { account, pending, authorization, challenge: String(challenges[0]?.url), ready, obtained };
  };

  /** All URLs that take a POST, with the payload that would be right. */
  const targets = async (): Promise<readonly (readonly [url: string, payload: unknown])[]> => {
    const directory = await client.directory();
    const { account, pending, authorization, challenge, ready, obtained } = scene;
    const identifiers = [{ type: 'dns', value: 'new.example.com' }];
    const inner = signJws(
      { alg: 'ES256', jwk: newSigner().public.jwk, url: directory.keyChange },
      JSON.stringify({ account: account.kid, oldKey: account.public.jwk }),
      account.key,
    );
    return [
      [String(directory.newOrder), { identifiers, notAfter: '2027-01-01T00:00:00Z', profile: 'plain' }],
      [String(directory.newAuthz), { identifier: identifiers[0] }],
      [String(directory.keyChange), inner],
      [String(directory.revokeCert), { certificate: obtained.text, reason: 4 }],
      [String(directory.newNonce), undefined],
      [gate.directory, undefined],
      [`${account.kid}`, { contact: ['mailto:a@example.com'] }],
      [`${account.kid}/orders`, undefined],
      [pending.url, undefined],
      [pending.json.finalize, { csr: csrOf(['new.example.com']) }],
      [ready.json.finalize, { csr: csrOf(['other.example.com']) }],
      [authorization, { status: 'deactivated' }],
      [challenge, {}],
      [obtained.url, undefined],
      [`${obtained.url}/1`, undefined],
    ];
  };

  // Statements are left out: validations that were begun go on by themselves.
  const tables = ['accounts', 'account_keys', 'orders', 'authorizations', 'certificates', 'nonces', 'rate_limits'];
  const countRows = (): Record<string, number> => {
    const counts = tables.map((name) => `(select count(*) from ${name}) as ${name}`).join(', ');
    return { ...database.prepare(`select ${counts}`).get() } as Record<string, number>;
  };

  /** What holds for every answer. @param writes whether what is refused may redeem its nonce */
  const judge = (answer: HttpAnswer, before: Record<string, number>, isPost: boolean, writes: boolean): void => {
    requests++;
    assert.ok(answer.status < 500, `${answer.status} ${answer.body}`);
    if (isPost)
      assert.match(String(answer.headers['replay-nonce']), /^[A-Za-z0-9_-]{44}$/, `${answer.status} ${answer.body}`);
    if (answer.status < 400) return;
    if (answer.body !== '') readProblem(answer);
    const now = countRows();
    const redeemed = (now.nonces ?? 0) - (before.nonces ?? 0);
    assert.ok(redeemed >= 0 && redeemed <= (writes ? 1 : 0), `${redeemed} nonces were redeemed: ${answer.body}`);
    assert.deepEqual({ ...now, nonces: 0 }, { ...before, nonces: 0 }, `what is refused leaves nothing: ${answer.body}`);
  };

  /** Sends a signed request; makes another scene when the account was deactivated or has another key. */
  const send = async (url: string, body: string | Uint8Array, writes: boolean): Promise<HttpAnswer> => {
    const before = countRows();
    const answer = await client.send(url, { method: 'POST', body, headers: jose });
    judge(answer, before, true, writes);
    if (answer.status === 200 && url.includes('/acme/account/') && answer.json().status === 'deactivated') {
      scene = await setScene();
    }
    return answer;
  };

  it('answers any method, path, media type and body', async () => {
    const paths = fc.oneof(
      fc.constantFrom(
        '/',
        '/directory',
        '/acme/new-nonce',
        '/acme/new-account',
        '/acme/new-order',
        '/acme/renewal-info/',
      ),
      fc.constantFrom(
        '/acme/order/x',
        '/acme/authz/x',
        '/acme/challenge/x/dns-01',
        '/acme/certificate/x',
        '/acme/certificate/x/1',
      ),
      fc.array(fc.webSegment(), { maxLength: 5 }).map((segments) => `/acme/${segments.join('/')}`),
      fc.webPath().map((path) => `/${path}`),
    );
    const types = fc.constantFrom(
      'application/jose+json',
      'application/json',
      '',
      'text/plain; x',
      'application/jose+json;',
    );
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
      acmeJson.map((value) => Buffer.from(JSON.stringify(value))),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...methods), paths, types, bodies, async (method, path, type, body) => {
        const before = countRows();
        const headers = { 'content-type': type };
        const url = gate.url + path;
        const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
        const answer = await client.send(url, isRead ? { method } : { method, body, headers });
        judge(answer, before, method === 'POST', false);
      }),
      { numRuns: 800 },
    );
  });

  it('answers any certID', async () => {
    const { renewalInfo = '' } = await client.directory();
    const { obtained } = scene;
    const right = Buffer.from(obtained.certificate.serialNumber, 'hex').toString('base64url');
    const ids = fc.oneof(
      fc.webSegment(),
      fc.tuple(fc.base64String(), fc.base64String()).map(([one, two]) => `${one}.${two}`.replaceAll(/[+/=]/g, '')),
      fc.base64String({ maxLength: 2_000 }).map((text) => `${text.replaceAll(/[+/=]/g, '')}.${right}`),
    );
    await fc.assert(
      fc.asyncProperty(ids, async (id) => {
        const before = countRows();
        const answer = await client.send(`${renewalInfo}/${encodeURI(id)}`);
        judge(answer, before, false, false);
        assert.ok(answer.status === 400 || answer.status === 404, answer.body);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses damaged JWS without redeeming anything', async () => {
    const list = await targets();
    const change = fc.oneof(
      fc.record({ member: fc.constantFrom('protected', 'payload', 'signature'), list: damages }),
      fc.record({
        header: fc.constantFrom('alg', 'url', 'nonce', 'kid', 'jwk', 'crit', 'b64', '__proto__'),
        value: acmeJson,
      }),
      fc.record({
        header: fc.constantFrom('alg', 'url', 'nonce', 'kid', 'jwk'),
        value: fc.anything({ withNullPrototype: false }),
      }),
      fc.record({ whole: damages }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(list.length - 1), change, fc.boolean(), async (index, how, isByKey) => {
        const [url, payload] = list[index] ?? ['', undefined];
        const { kid: _, ...key } = scene.account;
        const signer = isByKey ? key : scene.account;
        // Signed by another key, so that whatever remains right of it is not right enough.
        const header = 'header' in how ? { [how.header]: toJson(how.value) } : {};
        const jws = await client.sign(url, payload, signer, { header, signWith: newSigner().key });
        let body: string | Uint8Array = JSON.stringify(jws);
        if ('member' in how) {
          const octets = damage(Buffer.from(String(jws[how.member])), how.list);
          body = JSON.stringify({ ...jws, [how.member]: Buffer.from(octets).toString('latin1') });
        }
        if ('whole' in how) body = damage(Buffer.from(body), how.whole);
        const answer = await send(url, body, false);
        assert.ok(answer.status >= 400, answer.body);
      }),
      { numRuns: 1_500 },
    );
  });

  it('answers any payload that is signed', async () => {
    const list = await targets();
    await fc.assert(
      fc.asyncProperty(fc.nat(list.length - 1), fc.oneof(acmeJson, fc.jsonValue()), async (index, payload) => {
        const [url] = list[index] ?? [''];
        const { account } = scene;
        const own = url.includes('/acme/account/')
          ? url.replace(/account\/[^/]+/, `account/${`${account.kid}`.split('/').at(-1)}`)
          : url;
        await send(own, JSON.stringify(await client.sign(own, payload, account)), true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('answers right payloads of which a member was replaced, or the text damaged', async () => {
    const list = await targets();
    const at = fc.double({ min: 0, max: 0.999, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(list.length - 1), at, acmeJson, fc.option(damages), async (index, place, value, text) => {
        const [url, right] = list[index] ?? ['', undefined];
        const payload = JSON.stringify(replaceMember(right ?? {}, place, value));
        const payloadText =
          text === null ? payload : Buffer.from(damage(Buffer.from(payload), text)).toString('latin1');
        await send(url, JSON.stringify(await client.sign(url, undefined, scene.account, { payloadText })), true);
      }),
      { numRuns: 900 },
    );
  });

  it('refuses damaged certification requests and leaves the order ready', async () => {
    const { account, ready } = scene;
    const [name] = (ready.json.identifiers as readonly { readonly value: string }[]).map(({ value }) => value);
    const right = Buffer.from(csrOf([name ?? '']), 'base64url');
    await fc.assert(
      fc.asyncProperty(damages, async (list) => {
        const csr = damage(right, list);
        if (Buffer.compare(csr, right) === 0) return;
        const url = ready.json.finalize;
        const answer = await send(url, JSON.stringify(await client.sign(url, { csr: base64url(csr) }, account)), true);
        assert.ok(answer.status >= 400, answer.body);
      }),
      { numRuns: 400 },
    );
    const order = (await client.post(ready.url, undefined, account)).json();
    assert.equal(order.status, 'ready');
  });

  it('refuses damaged certificates and revokes nothing', async () => {
    const { account, obtained } = scene;
    const { revokeCert = '' } = await client.directory();
    const right = Buffer.from(obtained.certificate.der);
    await fc.assert(
      fc.asyncProperty(damages, fc.oneof(fc.integer({ min: -1, max: 12 }), acmeJson), async (list, reason) => {
        const certificate = damage(right, list);
        if (Buffer.compare(certificate, right) === 0) return;
        const payload = { certificate: base64url(certificate), reason };
        const answer = await send(revokeCert, JSON.stringify(await client.sign(revokeCert, payload, account)), true);
        assert.ok(answer.status >= 400, answer.body);
      }),
      { numRuns: 300 },
    );
    const { serialNumber } = obtained.certificate;
    assert.deepEqual(
      database
        .prepare('select revoked_at from certificates where serial_number = ?')
        .all(serialNumber)
        .map((row) => row.revoked_at),
      [null],
    );
  });

  it('makes no account of damaged keys and bindings', async () => {
    const { newAccount = '' } = await client.directory();
    const kinds = fc.constantFrom('binding', 'jwk');
    await fc.assert(
      fc.asyncProperty(kinds, fc.double({ min: 0, max: 0.999, noNaN: true }), acmeJson, async (kind, at, value) => {
        const signer = newSigner();
        const inner = macJws(
          { alg: 'HS256', ...{ kid: 'k', url: newAccount } },
          JSON.stringify(signer.public.jwk),
          Buffer.alloc(32),
        );
        const payload =
          kind === 'binding'
            ? { externalAccountBinding: replaceMember(inner, at, value) }
            : { termsOfServiceAgreed: true };
        const header = kind === 'jwk' ? { jwk: replaceMember(signer.public.jwk, at, value) } : {};
        const answer = await send(
          newAccount,
          JSON.stringify(await client.sign(newAccount, payload, signer, { header })),
          true,
        );
        assert.ok(answer.status >= 400, answer.body);
      }),
      { numRuns: 300 },
    );
  });

  it('was asked 5,000 times', () => {
    assert.ok(requests >= 5_000, `${requests} requests`);
    assert.ok(!/"level":"(?:fatal|error)".*failed unexpectedly/.test(gate.log()), 'nothing was unexpected');
  });
});

/** What JSON can hold of it. */
function toJson(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null');
  } catch {
    return null;
  }
}
