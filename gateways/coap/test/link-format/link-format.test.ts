import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { filterLinks, type Link, writeLinks } from '../../src/link-format.ts';

const links: readonly Link[] = [
  { href: '/est/crts', attributes: { rt: 'ace.est.crts', ct: [281, 287] } },
  { href: '/est/att', attributes: { rt: 'ace.est.att', ct: 285 } },
  { href: '/sensors/temp', attributes: { rt: ['temperature-c', 'sensor'], if: 'sensor' } },
  { href: '/plain', attributes: {} },
];
const hrefs = (...query: string[]) => filterLinks(links, query).map(({ href }) => href);

describe('RFC 6690: link format', () => {
  it('RFC 6690 §2: writes targets and attributes, RFC 7252 §7.2.1 numbers', () => {
    assert.equal(
      writeLinks(links),
      '</est/crts>;rt="ace.est.crts";ct="281 287",</est/att>;rt="ace.est.att";ct=285,' +
        '</sensors/temp>;rt="temperature-c sensor";if="sensor",</plain>',
    );
    assert.equal(writeLinks([]), '');
  });

  it('RFC 6690 §4.1: without a query all links are meant', () => {
    assert.equal(hrefs().length, links.length);
  });

  it('RFC 6690 §4.1: an attribute has to be equal', () => {
    assert.deepEqual(hrefs('rt=ace.est.att'), ['/est/att']);
    assert.deepEqual(hrefs('rt=ace.est'), []);
    assert.deepEqual(hrefs('if=sensor'), ['/sensors/temp']);
  });

  it('RFC 6690 §4.1: of a list one value has to be equal', () => {
    assert.deepEqual(hrefs('rt=sensor'), ['/sensors/temp']);
    assert.deepEqual(hrefs('ct=287'), ['/est/crts']);
    assert.deepEqual(hrefs('ct=285'), ['/est/att']);
    assert.deepEqual(hrefs('rt=temperature-c sensor'), []);
  });

  it('RFC 6690 §4.1: a star at the end stands for anything', () => {
    assert.deepEqual(hrefs('rt=ace.est*'), ['/est/crts', '/est/att']);
    assert.deepEqual(hrefs('rt=*'), ['/est/crts', '/est/att', '/sensors/temp']);
    assert.deepEqual(hrefs('ct=28*'), ['/est/crts', '/est/att']);
    assert.deepEqual(hrefs('rt=a*t'), []);
  });

  it('RFC 6690 §4.1: href is compared with the target', () => {
    assert.deepEqual(hrefs('href=/est/att'), ['/est/att']);
    assert.deepEqual(hrefs('href=/est*'), ['/est/crts', '/est/att']);
    assert.deepEqual(hrefs('href=*').length, links.length);
  });

  it('RFC 6690 §4.1: an attribute that no link has matches nothing, whatever it is called', () => {
    for (const name of ['obs', 'constructor', '__proto__', 'toString']) assert.deepEqual(hrefs(`${name}=*`), []);
  });

  it('RFC 6690 §4.1: several arguments all have to match; what is no condition is passed over', () => {
    assert.deepEqual(hrefs('rt=ace.est*', 'ct=285'), ['/est/att']);
    assert.deepEqual(
      hrefs('rt', '=x', ''),
      links.map(({ href }) => href),
    );
  });

  it('coaps.md §5: any query picks some of the links, in their order', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.constantFrom('rt', 'href', 'ct', 'if', '__proto__', ''), fc.string()).map((pair) => pair.join('=')),
      fc.constantFrom('rt=*', 'rt=**', 'href=/*', 'ct=', '=', '*', '=*'),
    );
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 6 }), (query) => {
        const picked = filterLinks(links, query);
        assert.deepEqual(
          picked,
          links.filter((link) => picked.includes(link)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('RFC 6690 §4.1: a link is found by every prefix of what it has', () => {
    const chosen = fc.constantFrom(
      ...links.flatMap(({ href, attributes }) => [
        { href, name: 'href', value: href },
        ...Object.entries(attributes).flatMap(([name, value]) =>
          [value].flat().map((each) => ({ href, name, value: String(each) })),
        ),
      ]),
    );
    fc.assert(
      fc.property(chosen, fc.nat(), ({ href, name, value }, cut) => {
        assert(hrefs(`${name}=${value.slice(0, cut % (value.length + 1))}*`).includes(href));
      }),
    );
  });
});
