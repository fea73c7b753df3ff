import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePem } from '@gatehouse/pkix/pem';
import { withGate } from './support/http.ts';
import { issuing, root, statusIssuer } from './support/signed.ts';

describe('RFC 5280 §4.2.2.1: certificates of issuers', () => {
  it('by name and by subjectKeyIdentifier, in DER', async () => {
    await withGate({}, async ({ state, send }) => {
      const [issuer] = state.publication.issuers;
      assert.ok(issuer !== undefined);
      for (const id of ['issuing', issuer.keyIdentifier]) {
        const { status, headers, body } = await send(`/issuer/${id}.crt`);
        assert.equal(status, 200);
        assert.equal(headers['content-type'], 'application/pkix-cert');
        assert.match(String(headers['cache-control']), /^public, max-age=86400/);
        assert.deepEqual(body, Buffer.from(issuing.certificate));
        const again = await send(`/issuer/${id}.crt`, { headers: { 'if-none-match': String(headers.etag) } });
        assert.equal(again.status, 304);
      }
    });
  });

  it('an unknown one is 404; before anything was loaded all are 503', async () => {
    await withGate({}, async ({ send }) => assert.equal((await send('/issuer/00ff.crt')).status, 404));
    await withGate({ published: 'nothing' }, async ({ send }) => {
      for (const path of ['/issuer/issuing.crt', '/chain.pem']) assert.equal((await send(path)).status, 503);
    });
  });
});

describe('the chain', () => {
  it('has the issuing CA in PEM, and not the trust anchor', async () => {
    await withGate({}, async ({ state, send }) => {
      const anchor = statusIssuer({ name: 'root', certificate: Buffer.from(root.certificate) });
      assert.equal(state.publication.replace({ issuers: [statusIssuer(), anchor], scopes: [] }).length, 0);
      const { status, headers, body } = await send('/chain.pem');
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'application/pem-certificate-chain');
      const blocks = decodePem(body.toString(), ['CERTIFICATE']);
      assert.deepEqual(
        blocks.map(({ der }) => Buffer.from(der)),
        [Buffer.from(issuing.certificate)],
      );
      assert.equal((await send('/chain.pem', { method: 'HEAD' })).headers['content-length'], String(body.length));
    });
  });
});
