import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { encodePem } from '@gatehouse/pkix/pem';
import { type Credential, saveCredential } from '@gatehouse/ra-client/credential';
import type { CheckCaaRequest, CheckDomainControlRequest } from '@gatehouse/ra-client/perspective';
import { hour } from '@gatehouse/ra-client/testing/certificate-builder';
import { createServiceAuthority } from '@gatehouse/ra-client/testing/test-core';
import { startDnsServer, zone } from './support/dns-server.ts';
import { readStatement } from './support/read-statement.ts';
import { newAttempt } from './support/registry-double.ts';
import { type RunningPerspective, service, withPerspective } from './support/running-perspective.ts';

const token = randomBytes(16).toString('base64url');
const thumbprint = randomBytes(32).toString('base64url');
const accountUri = 'https://ca.example/acme/account/1';
const digest = createHash('sha256').update(`${token}.${thumbprint}`).digest('base64url');
const identifier = { type: 'dns', value: 'www.example.com', isWildcard: false };

function soon(ms = 30_000): Date {
  return new Date(Date.now() + ms);
}

function controlOf(overrides: Partial<CheckDomainControlRequest> = {}): CheckDomainControlRequest {
  return {
    attempt: newAttempt(['dublin', 'saopaulo']),
    identifier,
    method: 'dns-01',
    token,
    thumbprints: [thumbprint],
    accountUri,
    variant: '',
    ...overrides,
  };
}

function caaOf(overrides: Partial<CheckCaaRequest> = {}): CheckCaaRequest {
  return { attempt: newAttempt(['dublin']), identifier, method: 'dns-01', accountUri, thumbprint, ...overrides };
}

function keyOf({ registry }: RunningPerspective) {
  const [key] = registry.keys.values();
  assert.ok(key !== undefined, 'a key must be registered');
  return key;
}

const seesDigest = zone({ '_acme-challenge.www.example.com': { TXT: [digest] } });

describe('mpic.md §2.2: every result is signed', () => {
  it('signs what it saw with the key that it registered, under the labels of the registry', async (t) => {
    const resolver = await startDnsServer(t, seesDigest);
    await withPerspective({ section: { validation: { resolver: resolver.address } } }, async (running) => {
      const request = controlOf();
      const said = readStatement(await running.as('ra/acme').checkDomainControl(request, soon()), keyOf(running).jwk);
      assert.equal(said.result, 'pass');
      assert.equal(said.perspective, 'spiffe://gatehouse.internal/perspective/dublin');
      assert.deepEqual([said.site, said.rir], ['plant-a', 'RIPE']);
      assert.deepEqual([said.attempt, said.perspectives], [request.attempt?.id, ['dublin', 'saopaulo']]);
      assert.deepEqual([said.account, said.thumbprint, said.token], [accountUri, thumbprint, token]);
      assert.equal(said.expected, digest);
      assert.equal(said.dns.at(-1)?.resolver, resolver.address);
      assert.match(said.build, /^gatehouse\/\d/);
    });
  });

  it('signs a failure like a success', async (t) => {
    const resolver = await startDnsServer(t, () => ({ rcode: 3 }));
    await withPerspective({ section: { validation: { resolver: resolver.address } } }, async (running) => {
      const said = readStatement(
        await running.as('ra/acme').checkDomainControl(controlOf(), soon()),
        keyOf(running).jwk,
      );
      assert.notEqual(said.result, 'pass');
      assert.match(said.problem?.detail ?? '', /_acme-challenge\.www\.example\.com/);
    });
  });

  it('signs what it found of CAA, with its own issuer domain names', async (t) => {
    const resolver = await startDnsServer(t, () => ({}));
    const validation = { resolver: resolver.address, issuerDomainNames: ['ca.example'] };
    await withPerspective({ section: { validation } }, async (running) => {
      const said = readStatement(await running.as('ra/acme').checkCaa(caaOf(), soon()), keyOf(running).jwk);
      assert.deepEqual([said.check, said.result, said.caa?.decision], ['caa', 'pass', 'permitted']);
      assert.deepEqual(said.caa?.issuerDomainNames, ['ca.example']);
    });
  });

  it('registers where gates reach it, and what it is', async () => {
    await withPerspective({ section: { advertise: '203.0.113.7:5290' } }, async (running) => {
      await running.as('ra/acme').describe(soon());
      const client = running.as('ra/acme');
      await client.checkDomainControl(controlOf({ token: 'short' }), soon()).catch(() => undefined);
      const [registration] = running.registry.registrations;
      assert.equal(registration?.address, '203.0.113.7:5290');
      assert.match(registration?.build ?? '', /^gatehouse\//);
      assert.equal(statSync(join(running.directory, 'signing-key.json')).mode & 0o777, 0o600);
    });
  });
});

describe('mpic.md §2: callers are gates on its list', () => {
  for (const path of ['ra/est', 'perspective/saopaulo', 'operator/alice', 'join/7']) {
    it(`refuses ${path}, and looks at nothing`, async (t) => {
      const resolver = await startDnsServer(t, seesDigest);
      await withPerspective({ section: { validation: { resolver: resolver.address } } }, async (running) => {
        await assert.rejects(running.as(path).checkDomainControl(controlOf(), soon()), {
          code: 'unauthorized',
          detail: new RegExp(`${path} is not on the list`),
        });
        await assert.rejects(running.as(path).describe(soon()), { code: 'unauthorized' });
        assert.deepEqual(resolver.asked, []);
      });
    });
  }

  it('refuses an attempt that does not use it: nobody could combine its statement', async () => {
    await withPerspective({}, async (running) => {
      const attempt = newAttempt(['saopaulo']);
      await assert.rejects(running.as('ra/acme').checkDomainControl(controlOf({ attempt }), soon()), {
        code: 'malformed',
        detail: /does not use the perspective dublin/,
      });
    });
  });

  it('names the field of a request that nobody can have meant', async () => {
    await withPerspective({}, async (running) => {
      await assert.rejects(running.as('ra/acme').checkDomainControl(controlOf({ token: '!' }), soon()), {
        code: 'malformed',
        detail: /^token: /,
      });
      await assert.rejects(running.as('ra/acme').checkCaa(caaOf({ attempt: undefined }), soon()), {
        code: 'malformed',
        detail: /^attempt: /,
      });
    });
  });
});

describe('mpic.md §1: the channel is authenticated and encrypted', () => {
  type Side = Pick<ConnectionOptions, 'key' | 'cert' | 'minVersion' | 'maxVersion'>;

  /** What the listener does with a connection like this. */
  async function attempt({ address }: RunningPerspective, side: Side): Promise<'let in' | 'refused'> {
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...side });
    const { promise, resolve } = Promise.withResolvers<'let in' | 'refused'>();
    // The first octets of HTTP/2 come only to whoever is let in.
    socket.once('data', () => resolve('let in'));
    socket.once('error', () => resolve('refused')).once('close', () => resolve('refused'));
    const outcome = await promise;
    socket.destroy();
    return outcome;
  }

  function sideOf({ privateKey, certificate }: Credential): Side {
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: encodePem('CERTIFICATE', certificate),
    };
  }

  it('lets in whoever has a certificate of the service CA, over TLS 1.3, and nobody else', async () => {
    await withPerspective({}, async (running) => {
      const gate = sideOf(service.credential('ra/acme'));
      assert.equal(await attempt(running, gate), 'let in');
      assert.equal(await attempt(running, { ...gate, maxVersion: 'TLSv1.2' }), 'refused');
      assert.equal(await attempt(running, {}), 'refused');
      assert.equal(await attempt(running, sideOf(createServiceAuthority().credential('ra/acme'))), 'refused');
      const past = new Date(Date.now() - 1_000);
      assert.equal(await attempt(running, sideOf(service.credential('ra/acme', { notAfter: past }))), 'refused');
    });
  });
});

describe('mpic.md §2.3: limits', () => {
  it('answers within the deadline of the call when a resolver says nothing', async (t) => {
    const resolver = await startDnsServer(t, () => []);
    await withPerspective({ section: { validation: { resolver: resolver.address } } }, async (running) => {
      const client = running.as('ra/acme');
      await client.describe(soon());
      const until = soon(2_000);
      const said = readStatement(await client.checkDomainControl(controlOf(), until), keyOf(running).jwk);
      assert.equal(said.result, 'error');
      assert.ok(Date.now() <= until.getTime());
    });
  });

  it('refuses what is too much at once, says when to come again, and serves again afterwards', async (t) => {
    const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
    let isReleased = false;
    const resolver = await startDnsServer(t, (asked) => {
      held();
      return isReleased ? seesDigest(asked) : [];
    });
    const limits = { atOncePerCaller: 1 };
    await withPerspective({ section: { limits, validation: { resolver: resolver.address } } }, async (running) => {
      const client = running.as('ra/acme');
      const first = client.checkDomainControl(controlOf(), soon(3_000));
      await isHeld;
      await assert.rejects(client.checkDomainControl(controlOf(), soon()), {
        code: 'rate-limited',
        retryAfterSeconds: 1,
      });
      isReleased = true;
      await first;
      const said = readStatement(await client.checkDomainControl(controlOf(), soon()), keyOf(running).jwk);
      assert.equal(said.result, 'pass');
    });
  });
});

describe('mpic.md §2: a perspective tells about itself', () => {
  it('gives labels, key, clock and what is wrong', async (t) => {
    const resolver = await startDnsServer(t, () => ({}));
    const validation = { resolver: resolver.address, selfTest: { signed: 'signed.example' } };
    await withPerspective({ section: { validation } }, async (running) => {
      const client = running.as('ra/acme');
      await client.checkCaa(caaOf(), soon());
      const said = await client.describe(soon());
      assert.deepEqual(
        [said.name, said.site, said.rir, said.keyId],
        ['dublin', 'plant-a', 'RIPE', keyOf(running).keyId],
      );
      assert.ok(Math.abs((said.now?.getTime() ?? 0) - Date.now()) < 5_000);
      assert.match(said.problems.join(), /without AD/);
      assert.equal(said.validatesDnssec, false);
    });
  });
});

describe('ARCHITECTURE §5: the process', () => {
  it('is ready when its key is registered', async () => {
    await withPerspective({}, async (running) => {
      await running
        .as('ra/acme')
        .checkDomainControl(controlOf({ token: '!' }), soon())
        .catch(() => undefined);
      assert.deepEqual(await running.readiness(), { code: 200, problems: [] });
    });
  });

  it('is unready while its resolvers do not prove what it must rely on', async (t) => {
    const resolver = await startDnsServer(t, () => ({}));
    const validation = {
      resolver: resolver.address,
      requireDnssec: true,
      selfTest: { signed: 'signed.example', bogus: 'bogus.example' },
    };
    await withPerspective({ section: { validation } }, async (running) => {
      const { code, problems } = await running.readiness();
      assert.equal(code, 503);
      assert.ok(problems.some(({ check }) => check === 'resolver'));
    });
  });

  it('shows a new credential to new connections', async () => {
    await withPerspective({}, async (running) => {
      await running.as('ra/acme').describe(soon());
      const ended = service.credential('perspective/dublin', { notAfter: new Date(Date.now() + hour) });
      saveCredential(join(running.directory, 'credential.pem'), ended);
      await running.as('ra/acme').describe(soon());
    });
  });

  it('does not sign in the name of another party', async () => {
    for (const path of ['ra/dublin', 'perspective/saopaulo']) {
      await assert.rejects(
        withPerspective({ credential: service.credential(path) }, async () => undefined),
        {
          name: 'FatalError',
          message: new RegExp(`${path}, not of the perspective dublin`),
        },
      );
    }
  });

  it('does not start with a credential that has ended, and says how to get another one', async () => {
    const credential = service.credential('perspective/dublin', { notAfter: new Date(Date.now() - 1_000) });
    await assert.rejects(
      withPerspective({ credential }, async () => undefined),
      {
        name: 'FatalError',
        message: /perspective\/dublin .* ended at/,
        hint: /gatehouse perspective join/,
      },
    );
  });

  it('refuses to start where no gate could dial it', async () => {
    const section = { listen: { host: '0.0.0.0', port: 0 } };
    await assert.rejects(
      withPerspective({ section }, async () => undefined),
      {
        name: 'FatalError',
        message: /no address that gates could dial/,
      },
    );
  });

  it('gives the statement of a check that is under way before it ends', async (t) => {
    const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
    let isReleased = false;
    const resolver = await startDnsServer(t, (asked) => {
      held();
      return isReleased ? seesDigest(asked) : [];
    });
    const validation = { resolver: resolver.address, resolverTimeout: '300ms' };
    await withPerspective({ section: { validation } }, async (running) => {
      const client = running.as('ra/acme');
      const first = client.checkDomainControl(controlOf(), soon());
      await isHeld;
      const { jwk } = keyOf(running);
      const stopped = running.stop();
      isReleased = true;
      assert.equal(readStatement(await first, jwk).result, 'pass');
      await stopped;
      await assert.rejects(client.checkDomainControl(controlOf(), soon(1_000)), { code: 'unavailable' });
    });
  });

  it('leaves no run file behind', async () => {
    let file = '';
    await withPerspective({}, async ({ directory }) => {
      file = join(directory, 'run/perspective-dublin.json');
      assert.equal(existsSync(file), true);
    });
    assert.equal(existsSync(file), false);
  });
});
