import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readObjectIdentifier, readOnly } from '../src/der/reader.ts';
import { objectIdentifier } from '../src/der/writer.ts';
import * as tables from '../src/object-identifiers.ts';

describe('the tables of object identifiers', () => {
  for (const [name, table] of Object.entries(tables)) {
    const identifiers: string[] = Object.values(table);
    it(`${name} holds identifiers, each once`, () => {
      for (const identifier of identifiers)
        assert.equal(readObjectIdentifier(readOnly(objectIdentifier(identifier))), identifier);
      assert.equal(new Set(identifiers).size, identifiers.length);
    });
  }
});
