import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { perspectiveSchema } from '@gatehouse/gateway-perspective/config';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { dataDirectory } from '../src/data-directory.ts';
import { type AcmeAddressOptions, settleAcmeAddress } from '../src/up/acme-address.ts';
import { chooseGates } from '../src/up/gates.ts';
import { starterConfiguration } from '../src/up/starter-configuration.ts';
import { emptyDirectory } from './support/stack.ts';

/** A directory with this gatehouse.yaml, for trying out unless told. */
function directoryWith(context: TestContext, configuration: string, isForTryingOut = true): string {
  const directory = emptyDirectory(context);
  writeFileSync(join(directory, 'gatehouse.yaml'), configuration);
  mkdirSync(join(directory, 'secrets'));
  if (isForTryingOut) writeFileSync(join(directory, 'secrets/est-demo-password'), 'x\n', { mode: 0o600 });
  return directory;
}

function settle(directory: string, options: Partial<Omit<AcmeAddressOptions, 'data'>> = {}) {
  const data = dataDirectory(directory);
  return settleAcmeAddress({ data, isStarted: true, isAutomatic: false, set: [], ...options });
}

/** The last value that a list of `--set` arguments gives. */
function lastValue(set: readonly string[], path: string): string | undefined {
  return set.findLast((assignment) => assignment.startsWith(`${path}=`))?.slice(path.length + 1);
}

function baseUrlsOf(set: readonly string[]): unknown {
  const text = lastValue(set, 'core.validation.acmeBaseUrls');
  return text === undefined ? undefined : JSON.parse(text);
}

/** How the perspectives of `up` look, as their processes read it. */
function validationOf(set: readonly string[]) {
  const all = ['perspective.name=here-a', ...set];
  return loadConfiguration({ schema: perspectiveSchema, section: 'perspective', set: all }).validation;
}

const before = 'core: { listen: { port: 0 } }\n';

describe('mpic.md §3.4: the core knows where its ACME gate is', () => {
  test('as it is configured, in a directory that is made now or was made before', async (context) => {
    const trial = directoryWith(context, starterConfiguration('trial'));
    for (const directory of [emptyDirectory(context), trial, directoryWith(context, before)]) {
      const { core, gate } = await settle(directory);
      assert.deepEqual(baseUrlsOf(core), ['https://127.0.0.1:8555']);
      assert.equal(lastValue(gate, 'acme.listen.port'), undefined);
    }
  });

  test('on the port that the system chose, and again on the same one', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    const first = await settle(directory, { isAutomatic: true });
    const port = Number(lastValue(first.gate, 'acme.listen.port'));
    assert.ok(port > 0);
    assert.deepEqual(baseUrlsOf(first.core), [`https://127.0.0.1:${port}`]);
    first.remember();
    const second = await settle(directory, { isAutomatic: true });
    assert.deepEqual(baseUrlsOf(second.core), [`https://127.0.0.1:${port}`]);
    const owner = createServer();
    await new Promise<void>((resolve) => owner.listen(port, '127.0.0.1', resolve));
    context.after(() => owner.close());
    assert.notDeepEqual(baseUrlsOf((await settle(directory, { isAutomatic: true })).core), baseUrlsOf(second.core));
  });

  test('and where it was, since accounts keep the URL that they were made with', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    const first = await settle(directory, { isAutomatic: true });
    first.remember();
    const port = Number(lastValue(first.gate, 'acme.listen.port'));
    const second = await settle(directory);
    const both = ['https://127.0.0.1:8555', `https://127.0.0.1:${port}`];
    assert.deepEqual(baseUrlsOf(second.core), both);
    second.remember();
    assert.deepEqual(baseUrlsOf((await settle(directory, { isAutomatic: true })).core), both.toReversed());
    writeFileSync(join(directory, 'run/acme-urls.json'), '["javascript:0"]');
    assert.deepEqual(baseUrlsOf((await settle(directory)).core), ['https://127.0.0.1:8555']);
  });

  test('where the operator put it on the command line', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    const { core } = await settle(directory, { set: ['acme.listen.port=8443', 'acme.names=[acme.test]'] });
    assert.deepEqual(baseUrlsOf(core), ['https://acme.test:8443']);
  });

  test('and never takes away what the operator says', async (context) => {
    const chosen = starterConfiguration('trial').replace("['https://127.0.0.1:8555']", "['https://acme.example']");
    assert.equal(baseUrlsOf((await settle(directoryWith(context, chosen))).core), undefined);
    assert.equal(
      baseUrlsOf((await settle(directoryWith(context, starterConfiguration('production'), false))).core)?.toString(),
      'https://acme.example.com',
    );
  });

  test('only when there is one', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    assert.deepEqual((await settle(directory, { isStarted: false })).core, []);
  });
});

describe('ARCHITECTURE §5: the perspectives of up look as the gate does', () => {
  test('with the settings of the command line', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    const { perspectives } = await settle(directory, {
      set: [
        'acme.validation.httpPort=5080',
        'acme.validation.resolver=127.0.0.1:8053',
        'acme.validation.resolverTimeout=1s500ms',
      ],
    });
    const validation = validationOf(perspectives.filter((one) => one.startsWith('perspective.')));
    assert.deepEqual([validation.httpPort, validation.tlsPort], [5080, 5001]);
    assert.deepEqual(validation.resolver, ['127.0.0.1:8053']);
    assert.equal(validation.resolverTimeout, 1_500);
    assert.deepEqual(validation.allow, ['127.0.0.0/8', '::1/128']);
  });

  test('and know the names of the CA that the core knows', async (context) => {
    const directory = directoryWith(context, starterConfiguration('trial'));
    const names = async (...set: readonly string[]) =>
      validationOf((await settle(directory, { set })).perspectives.filter((one) => one.startsWith('perspective.')))
        .issuerDomainNames;
    assert.deepEqual(await names(), ['gatehouse.test']);
    assert.deepEqual(await names('core.validation.issuerDomainNames=[ca.example]'), ['ca.example']);
    assert.deepEqual(await names('acme.validation.issuerDomainNames=[gate.example]'), ['gate.example']);
  });
});

describe('gatehouse up --only', () => {
  const namesOf = (directory: string, ...only: readonly string[]) =>
    chooseGates(only, dataDirectory(directory)).map(({ name }) => name);

  test('leaves the ACME and the CoAP gate out where an operator says nothing of them', (context) => {
    assert.deepEqual(namesOf(directoryWith(context, before, false)), ['est', 'status']);
    assert.deepEqual(namesOf(directoryWith(context, before)), ['est', 'coap', 'acme', 'status']);
    assert.deepEqual(namesOf(directoryWith(context, starterConfiguration('production'), false)), [
      'est',
      'coap',
      'acme',
      'status',
    ]);
    assert.deepEqual(namesOf(emptyDirectory(context)), ['est', 'coap', 'acme', 'status']);
  });

  test('starts them where they are named', (context) => {
    assert.deepEqual(namesOf(directoryWith(context, before, false), 'acme'), ['acme']);
  });
});
