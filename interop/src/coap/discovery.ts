// Discovery, RFC 9148 §4.1 and RFC 6690: what the gate says that it serves, and that filters mean what they say.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { ask, type CoapDriver, describeAnswer } from './driver.ts';
import { formats, manufacturersOf, plainLabel } from './est.ts';

/** One link, RFC 6690 §2. */
export type Link = { readonly path: string; readonly attributes: ReadonlyMap<string, string> };

/** What RFC 9148 §4.1 and §4.2 have at each resource. */
const contentTypes: Readonly<Record<string, string>> = {
  crts: '281 287',
  sen: '281 287',
  sren: '281 287',
  att: '285',
  skg: '62',
  skc: '62',
};

/** Operations of clients that look before they ask. */
export function discovery(driver: CoapDriver): readonly Operation[] {
  const section = 'RFC 9148 §4.1';
  const filters = [
    ['rt=ace.est*', Object.keys(contentTypes)],
    ['rt=ace.est.sen', ['sen']],
    ['rt=ace.est.s*', ['sen', 'sren', 'skg', 'skc']],
    ['ct=285', ['att']],
    ['rt=core.rd*', []],
  ] as const;
  return [
    { name: 'discovers all resources', section, run: (session) => discoverAll(driver, session) },
    ...filters.map(([filter, resources]) => ({
      name: `discovers with the filter ${filter}`,
      section: 'RFC 6690 §4.1',
      run: async (session: Session) => {
        const found = await fetchLinks(driver, session, [filter]);
        const served = new Set(found.map(resourceOf));
        assert.deepEqual([...served].toSorted(), [...resources].toSorted());
      },
    })),
    {
      name: 'discovers with a filter of a path, which is then asked',
      section: 'RFC 6690 §4.1',
      run: (session) => discoverPath(driver, session),
    },
  ];
}

async function discoverAll(driver: CoapDriver, session: Session): Promise<void> {
  const links = (await fetchLinks(driver, session, [])).filter(({ path }) => path.includes('est'));
  for (const [resource, contentType] of Object.entries(contentTypes)) {
    const found = links.filter((link) => resourceOf(link) === resource);
    assert(found.length > 0, `there must be a link to ${resource}`);
    for (const { path, attributes } of found) {
      assert.match(path, new RegExp(`/${resource}$`));
      assert.equal(attributes.get('ct'), contentType, path);
    }
  }
  // Passwords do not exist here, so doors that open to them alone are not shown.
  assert(!links.some(({ path }) => path.includes('/password/')), 'a label of passwords alone must not be offered');
}

async function discoverPath(driver: CoapDriver, session: Session): Promise<void> {
  const links = await fetchLinks(driver, session, []);
  const link = links.find((one) => resourceOf(one) === 'crts' && one.path.includes(`/${plainLabel}/`)) ?? links[0];
  assert(link !== undefined, 'there must be links');
  const found = await fetchLinks(driver, session, [`href=${link.path}`]);
  assert.deepEqual(
    found.map(({ path }) => path),
    [link.path],
  );
  const device = await manufacturersOf(session).makeDevice();
  const answer = await ask(driver, session, { device }, { method: 'get', path: link.path });
  assert.equal(answer.code, '2.05', describeAnswer(answer));
}

async function fetchLinks(driver: CoapDriver, session: Session, query: readonly string[]): Promise<readonly Link[]> {
  const device = await manufacturersOf(session).makeDevice();
  const answer = await ask(driver, session, { device }, { method: 'get', path: '/.well-known/core', query });
  assert.equal(answer.code, '2.05', describeAnswer(answer));
  assert.equal(answer.contentFormat, formats.links);
  return readLinks(answer.payload.toString('utf8'));
}

function resourceOf({ attributes }: Link): string {
  return attributes.get('rt')?.replace(/^ace\.est\./, '') ?? '';
}

/** Reads links, RFC 6690 §2. @throws when there is anything else */
export function readLinks(text: string): readonly Link[] {
  const link = /<([^>]*)>((?:;[\w*-]+(?:=(?:"[^"]*"|[^",;]*))?)*)(?:,|$)/y;
  const links: Link[] = [];
  while (link.lastIndex < text.length) {
    const start = link.lastIndex;
    const found = link.exec(text);
    assert(found !== null, `there must be a link at '${text.slice(start, start + 40)}'`);
    const [, path = '', attributes = ''] = found;
    const pairs = [...attributes.matchAll(/;([\w*-]+)(?:=(?:"([^"]*)"|([^",;]*)))?/g)];
    links.push({
      path,
      attributes: new Map(pairs.map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? ''])),
    });
  }
  return links;
}
