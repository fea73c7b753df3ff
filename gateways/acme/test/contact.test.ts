import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readContact } from '../src/contact.ts';
import { AcmeError } from '../src/errors.ts';

describe('RFC 8555 §7.3: contacts', () => {
  it('are mailto URLs with one address', () => {
    const contacts = ['mailto:a@example.com', 'MAILTO:a+b@example.com', 'mailto:%61@example.com', 'mailto:a@localhost'];
    assert.deepEqual(readContact(contacts), contacts);
    assert.equal(readContact(undefined), undefined);
    assert.deepEqual(readContact([]), []);
  });

  it('are read or refused with a problem, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `mailto:${text}`),
          fc.string().map((text) => `mailto:${text}@example.com`),
        ),
        (text) => {
          try {
            const [contact = ''] = readContact([text]) ?? [];
            assert.match(contact, /^mailto:[!-~]+$/i);
            assert.ok(!/[?,]/.test(contact));
          } catch (error) {
            assert.ok(error instanceof AcmeError && /Contact$/.test(error.type), String(error));
          }
        },
      ),
    );
  });
});
