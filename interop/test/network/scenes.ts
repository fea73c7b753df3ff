// Scenes of mpic.md §6, played with the real processes: a victim's web server, an attacker who leads some perspectives to
// his own, zones that are signed, bogus or restricted. Each certificate is asked for by npm's acme-client.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import acme from 'acme-client';
import { type House, putUpHouse } from '../../src/network/house.ts';
import { startNameServer } from '../../src/network/name-server.ts';
import { createWorld, type Host, type World } from '../../src/network/world.ts';

/** An address of the internet at large: nothing has to be allowed for it. */
const service = '198.100.10.10';
const webServer = fileURLToPath(new URL('../../src/network/web-server.ts', import.meta.url));

const zones = [
  { name: 'plain', security: 'unsigned', records: [`@ A ${service}`, `www A ${service}`] },
  { name: 'signed', security: 'signed', records: [`@ A ${service}`, `www A ${service}`] },
  { name: 'bogus', security: 'bogus', records: [`@ A ${service}`, `www A ${service}`] },
  {
    name: 'restricted',
    security: 'signed',
    records: [
      `other A ${service}`,
      'other CAA 0 issue "other-ca.example"',
      `nobody A ${service}`,
      'nobody CAA 0 issue ";"',
      `ours A ${service}`,
      'ours CAA 0 issue "ca.gatehouse.example"',
      `critical A ${service}`,
      'critical CAA 128 tbs "unknown"',
      `method A ${service}`,
      'method CAA 0 issue "ca.gatehouse.example; validationmethods=dns-01"',
      `account A ${service}`,
      'account CAA 0 issue "ca.gatehouse.example; accounturi=https://elsewhere.example/acct/1"',
      `deep.ours A ${service}`,
    ],
  },
] as const;

const vantages = [
  { name: 'ashburn', rir: 'ARIN', place: '39.04,-77.49' },
  { name: 'dublin', rir: 'RIPE', place: '53.35,-6.26' },
  { name: 'saopaulo', rir: 'LACNIC', place: '-23.55,-46.63' },
] as const;

let folder: string;
let world: World;
let house: House;
let victim: Host;
let attacker: Host;
let served: { readonly victim: string; readonly attacker: string };

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-network-'));
  world = await createWorld();
  const names = await world.addHost('names');
  const nameServer = await startNameServer(names, join(folder, 'names'), zones);
  victim = await world.addHost('victim');
  attacker = await world.addHost('attacker');
  await world.give(victim, service);
  await world.claim(attacker, service);
  served = { victim: join(folder, 'victim'), attacker: join(folder, 'attacker') };
  for (const [host, own] of [
    [victim, served.victim],
    [attacker, served.attacker],
  ] as const) {
    mkdirSync(own);
    const serving = Promise.withResolvers<void>();
    host.start(process.execPath, [webServer, own], { onLine: () => serving.resolve() });
    await serving.promise;
  }
  house = await putUpHouse({
    world,
    folder,
    nameServer,
    vantages,
    settings: [
      'core.validation.policies={"internet":{"remotes":3,"corroborations":2,"caa":"on","dnssec":"where-signed"}}',
      'core.validation.profiles={"tls-server-validated":{"policy":"internet","mode":"enforce"}}',
    ],
  });
  acme.axios.defaults.httpsAgent = new Agent({ ca: house.trustAnchor });
  acme.axios.defaults.proxy = false;
});

after(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks for a certificate; whoever asks answers the challenge on the web server that is his. */
async function order(name: string, who: keyof typeof served): Promise<string> {
  const client = new acme.Client({
    directoryUrl: house.directory,
    accountKey: await acme.crypto.createPrivateEcdsaKey(),
    backoffMin: 200,
    backoffMax: 1_000,
    backoffAttempts: 60,
  });
  const [, csr] = await acme.crypto.createCsr({ altNames: [name] }, await acme.crypto.createPrivateEcdsaKey());
  return await client.auto({
    csr,
    termsOfServiceAgreed: true,
    skipChallengeVerification: true,
    challengePriority: ['http-01'],
    challengeCreateFn: (_authorization, challenge, keyAuthorization) => {
      writeFileSync(join(served[who], challenge.token), keyAuthorization);
      return Promise.resolve();
    },
    challengeRemoveFn: () => Promise.resolve(),
  });
}

const certificate = /^-----BEGIN CERTIFICATE-----/;

function hostsOf(...names: readonly string[]): readonly Host[] {
  return names.map((name) => {
    if (name === 'home') return house.home;
    const found = house.perspectives.get(name);
    assert(found !== undefined);
    return found.host;
  });
}

/** Certificates that the keep has issued for a name. */
async function issuedFor(name: string): Promise<number> {
  const listed = await house.operator('cert', 'list', '--profile', 'tls-server-validated');
  assert(Array.isArray(listed));
  return listed.filter((one) => JSON.stringify(one).includes(name)).length;
}

/** Plays with false routes, and takes them back whatever happens. */
async function whileDiverted(names: readonly string[], play: () => Promise<void>): Promise<void> {
  await world.divert(hostsOf(...names), service, attacker);
  try {
    await play();
  } finally {
    await world.restore();
  }
}

/** The attacker asks and gets nothing; the gate's log names who saw what. */
async function refused(name: string, said: RegExp): Promise<void> {
  const before = await issuedFor(name);
  const seen = house.logOf('acme').length;
  await assert.rejects(order(name, 'attacker'), said);
  assert.equal(await issuedFor(name), before, 'nothing may be issued');
  const log = house.logOf('acme').slice(seen).join('\n');
  assert.match(log, new RegExp(name.replaceAll('.', '\\.')), 'the log must name the name');
}

describe('all is well', () => {
  test('the victim gets a certificate, corroborated by all perspectives', async () => {
    assert.match(await order('www.plain', 'victim'), certificate);
    const events = JSON.stringify(
      await house.operator('audit', 'list', '--action', 'certificate-issued', '--limit', '1'),
    );
    assert.match(events, /name=www\.plain .*check=dcv quorum=3\/3/);
  });

  test('the attacker gets none while routes are true', async () => {
    await refused('www.plain', /(unauthorized|incorrectResponse|404)/);
  });
});

describe('BR §3.2.2.9: false routes', () => {
  test('an attacker who leads the gate alone astray is refused: the remote perspectives disagree', async () => {
    await whileDiverted(['home'], () => refused('www.plain', /at 3 of 3 remote perspectives|ashburn|dublin|saopaulo/));
  });

  test('with one perspective astray as well he is refused', async () => {
    await whileDiverted(['home', 'dublin'], async () => {
      const seen = house.logOf('acme').length;
      await refused('www.plain', /at 2 of 3 remote perspectives|ashburn|saopaulo/);
      const report = house.logOf('acme').slice(seen).join('\n');
      // Who disagreed, and what it saw where.
      for (const expected of ['ashburn', 'saopaulo', service]) assert.match(report, new RegExp(expected));
    });
  });

  test('with all astray nothing can save the victim: this is what a quorum cannot see', async () => {
    await whileDiverted(['home', 'ashburn', 'dublin', 'saopaulo'], async () => {
      assert.match(await order('www.plain', 'attacker'), certificate);
    });
  });

  test('the victim gets his certificate while one perspective is astray, and the log says which', async () => {
    await whileDiverted(['dublin'], async () => {
      const seen = house.logOf('acme').length;
      assert.match(await order('www.plain', 'victim'), certificate);
      assert.match(house.logOf('acme').slice(seen).join('\n'), /dublin/);
    });
    const events = JSON.stringify(
      await house.operator('audit', 'list', '--action', 'certificate-issued', '--limit', '1'),
    );
    assert.match(events, /name=www\.plain .*check=dcv quorum=2\/3 .*failed=dublin/);
  });

  test('with two perspectives astray the victim is refused rather than the quorum bent', async () => {
    await whileDiverted(['dublin', 'saopaulo'], async () => {
      await assert.rejects(order('www.plain', 'victim'), /2 of 3 remote perspectives|dublin|saopaulo/);
    });
  });

  test('a false route to the name server makes a signed zone unbelievable where it leads astray', async () => {
    // The attacker has no name server: who is led to him hears nothing, and is out-voted.
    const names = '10.77.1.2';
    await world.claim(attacker, names);
    await world.divert(hostsOf('dublin'), names, attacker);
    try {
      assert.match(await order('www.signed', 'victim'), certificate);
    } finally {
      await world.restore();
    }
  });
});

describe('BR §3.2.2.8.1, RFC 4035: zones', () => {
  test('a name of a signed zone gets its certificate', async () => {
    assert.match(await order('www.signed', 'victim'), certificate);
  });

  test('a name of a bogus zone gets none, and is told why', async () => {
    await assert.rejects(order('www.bogus', 'victim'), /dns|SERVFAIL/);
    assert.equal(await issuedFor('www.bogus'), 0);
  });
});

describe('RFC 8659, RFC 8657: CAA', () => {
  for (const [name, why] of [
    ['other.restricted', 'another CA may issue'],
    ['nobody.restricted', 'nobody may issue'],
    ['critical.restricted', 'a critical property is unknown'],
    ['method.restricted', 'another method is demanded'],
    ['account.restricted', 'another account is demanded'],
  ] as const) {
    test(`no certificate where ${why}`, async () => {
      await assert.rejects(order(name, 'victim'), /caa/i);
      assert.equal(await issuedFor(name), 0);
    });
  }

  for (const name of ['ours.restricted', 'deep.ours.restricted']) {
    test(`a certificate for ${name}, where this CA may issue`, async () => {
      assert.match(await order(name, 'victim'), certificate);
    });
  }
});

describe('perspectives die', () => {
  test('one of three: certificates go on; two of three: they stop, and the count stays three', async () => {
    await house.perspectives.get('dublin')?.process.kill();
    assert.match(await order('www.plain', 'victim'), certificate);
    await house.perspectives.get('saopaulo')?.process.kill();
    await assert.rejects(order('www.plain', 'victim'), /dublin|saopaulo|2 of 3|serverInternal/);
  });
});
