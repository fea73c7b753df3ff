import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelForm } from '@gatehouse/gateway-kit/est/labels';
import { operationNames } from '@gatehouse/gateway-kit/est/operation-names';
import fc from 'fast-check';
import { routePath } from '../src/router.ts';

const label = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~:-]{0,20}$/);
const operation = fc.constantFrom(...operationNames);

describe('RFC 7030 §3.2.2: paths', () => {
  it('finds label and operation behind the well-known part', () => {
    fc.assert(
      fc.property(label, operation, (name, op) => {
        assert.deepEqual(routePath(`/.well-known/est/${name}/${op}`), { label: name, operation: op });
      }),
    );
  });

  it('finds the same label in front of the well-known part', () => {
    fc.assert(
      fc.property(label, operation, (name, op) => {
        assert.deepEqual(routePath(`/${name}/.well-known/est/${op}`), { label: name, operation: op });
      }),
    );
  });

  it('has no label where the path has none', () => {
    assert.deepEqual(routePath('/.well-known/est/cacerts'), { label: undefined, operation: 'cacerts' });
  });

  it('tolerates one trailing slash, the case of the path, and a query', () => {
    assert.deepEqual(routePath('/.Well-Known/EST/CaCerts/'), { label: undefined, operation: 'cacerts' });
    assert.deepEqual(routePath('/.well-known/est/cacerts?x=/../y'), { label: undefined, operation: 'cacerts' });
  });

  it('keeps colons in labels, escaped or not', () => {
    assert.deepEqual(routePath('/.well-known/est/ca:7/cacerts'), { label: 'ca:7', operation: 'cacerts' });
    assert.deepEqual(routePath('/.well-known/est/ca%3A7/cacerts'), { label: 'ca:7', operation: 'cacerts' });
  });

  it('takes an absolute-form target', () => {
    assert.deepEqual(routePath('https://gate.example:7030/.well-known/est/cacerts'), {
      label: undefined,
      operation: 'cacerts',
    });
  });

  for (const target of [
    '/.well-known/est',
    '/.well-known/est/',
    '/cacerts',
    '/',
    '',
    '*',
    '//.well-known/est/cacerts',
    '/.well-known//est/cacerts',
    '/.well-known/est//cacerts',
    '/.well-known/est/cacerts//',
    '/.well-known/est/a/../cacerts',
    '/.well-known/est/a/%2e%2e/cacerts',
    '/.well-known/est/./cacerts',
    '/.well-known/est/a%2fb/cacerts',
    '/.well-known/est/a%5cb/cacerts',
    '/.well-known/est/a%252fb/cacerts',
    '/.well-known/est/a%00/cacerts',
    '/.well-known/est/a%zz/cacerts',
    '/.well-known/est/a%/cacerts',
    '/.well-known/est/a/b/cacerts',
    '/a/.well-known/est/b/cacerts',
    '/a/b/.well-known/est/cacerts',
    '/.well-known/est/-a/cacerts',
    'http://gate.example/.well-known/est/cacerts',
  ]) {
    it(`refuses ${target === '' ? 'the empty target' : target}`, () => {
      assert.equal(routePath(target), undefined);
    });
  }

  it('never finds a label that could not be configured, whatever the target', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: 'binary' }), operation, (text, op) => {
        for (const target of [`/.well-known/est/${text}/${op}`, `/${text}/.well-known/est/${op}`, text]) {
          const route = routePath(target);
          assert.ok(route?.label === undefined || labelForm.test(route.label));
        }
      }),
    );
  });
});
