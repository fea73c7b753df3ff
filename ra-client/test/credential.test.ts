import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import {
  CredentialError,
  createCredential,
  formatCredential,
  loadCredential,
  parseCredential,
  saveCredential,
} from '@gatehouse/ra-client/credential';
import { openCredentialFile } from '@gatehouse/ra-client/credential-source';
import { FatalError } from '@gatehouse/runtime/fatal';
import fc from 'fast-check';
import { createTestKey } from './support/certificate-builder.ts';
import { createServiceAuthority, silentLog } from './support/test-core.ts';

const authority = createServiceAuthority();
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-credential-'));
after(() => rmSync(directory, { recursive: true }));

describe('ARCHITECTURE §3: the credential of an RA', () => {
  it('reads what it wrote', () => {
    const credential = authority.credential('ra/est-dmz');
    const again = parseCredential(formatCredential(credential));
    assert.deepEqual(again.party, { kind: 'ra', name: 'est-dmz', uri: 'spiffe://gatehouse.internal/ra/est-dmz' });
    assert.deepEqual(Buffer.from(again.certificate), Buffer.from(credential.certificate));
    assert.equal(again.notAfter.getTime(), credential.notAfter.getTime());
  });

  it('is saved so that only its owner can read it', () => {
    const file = join(directory, 'saved.pem');
    saveCredential(file, authority.credential('ra/est'));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(loadCredential(file).party.name, 'est');
  });

  it('is not loaded when others can read it; the message says what to do', () => {
    const file = join(directory, 'open.pem');
    saveCredential(file, authority.credential('ra/est'));
    chmodSync(file, 0o644);
    assert.throws(
      () => loadCredential(file),
      (error: FatalError) =>
        error instanceof FatalError && /0644/.test(error.message) && /chmod 600/.test(error.hint ?? ''),
    );
  });

  const { privateKey } = createTestKey();
  const whole = authority.credential('ra/est');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const own = encodePem('CERTIFICATE', whole.certificate);
  const refused: readonly (readonly [title: string, text: string, reason: RegExp])[] = [
    ['is refused without a key', own, /PRIVATE KEY/],
    ['is refused without a certificate', key, /no CERTIFICATE/],
    ['is refused without an anchor', formatCredential({ ...whole, trustAnchors: [] }), /service CA/],
    ['is refused with two keys', `${key}${formatCredential(whole)}`, /one PRIVATE KEY/],
    ['is refused with the key of another certificate', `${key}${own}${own}`, /does not belong/],
    [
      'is refused with anything else inside',
      `${formatCredential(whole)}-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n`,
      /X509 CRL/,
    ],
    ['is refused when it is no PEM', 'hello', /BEGIN/],
  ];
  for (const [title, text, reason] of refused) {
    it(title, () => {
      assert.throws(
        () => parseCredential(text),
        (error: CredentialError) => error instanceof CredentialError && reason.test(error.message),
      );
    });
  }

  it('is refused when its certificate names no party', () => {
    for (const uri of [
      'spiffe://example.org/ra/est',
      'spiffe://gatehouse.internal/king/est',
      'spiffe://gatehouse.internal/ra/a/b',
    ]) {
      const { privateKey: ownKey, publicKey } = createTestKey();
      const certificate = authority.issue({ publicKey, names: [{ kind: 'uri', value: uri }] });
      const parts = { privateKey: ownKey, certificate, trustAnchors: [authority.certificate] };
      assert.throws(() => createCredential(parts), /names no party/, uri);
    }
  });

  it('is never half-read: any text is a credential or a CredentialError', () => {
    const text = formatCredential(whole);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), fc.string(), (from, length, filling) => {
        try {
          parseCredential(text.slice(0, from) + filling + text.slice(from + length));
        } catch (error) {
          assert.ok(error instanceof CredentialError);
        }
      }),
    );
  });
});

describe('ARCHITECTURE §3: a credential file that changes', () => {
  it('is taken over when an operator replaces it', async () => {
    const file = join(directory, 'followed.pem');
    saveCredential(file, authority.credential('ra/est'));
    const source = openCredentialFile({ file, log: silentLog, pollIntervalMs: 5 });
    const next = authority.credential('ra/est');
    const changed = new Promise((resolve) => source.onChange(resolve));
    saveCredential(file, next);
    await changed;
    assert.deepEqual(Buffer.from(source.current().certificate), Buffer.from(next.certificate));
    source.close();
  });

  it('stays in use when its file becomes unreadable, and recovers with the next good one', async () => {
    const file = join(directory, 'broken.pem');
    const first = authority.credential('ra/est');
    saveCredential(file, first);
    const warnings: unknown[] = [];
    const warned = Promise.withResolvers<void>();
    const log = silentLog.child({});
    log.warn = (...line: unknown[]) => {
      warnings.push(line);
      warned.resolve();
    };
    const source = openCredentialFile({ file, log, pollIntervalMs: 5 });
    writeFileSync(file, 'half a file');
    await warned.promise;
    assert.equal(source.current().certificate, source.current().certificate);
    assert.deepEqual(Buffer.from(source.current().certificate), Buffer.from(first.certificate));
    const changed = new Promise((resolve) => source.onChange(resolve));
    saveCredential(file, authority.credential('ra/est'));
    await changed;
    assert.equal(warnings.length, 1);
    source.close();
  });

  it('keeps a renewed credential before it tells anyone of it', () => {
    const file = join(directory, 'kept.pem');
    saveCredential(file, authority.credential('ra/est'));
    const source = openCredentialFile({ file, log: silentLog });
    const next = authority.credential('ra/est');
    source.onChange(() => {
      assert.deepEqual(Buffer.from(loadCredential(file).certificate), Buffer.from(next.certificate));
    });
    source.replace(next);
    source.close();
  });
});
