import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sequence } from '@gatehouse/pkix/der/writer';
import { maximumRequests } from '@gatehouse/pkix/ocsp/request';
import { composeOcspResponse, ocspErrorResponse } from '@gatehouse/pkix/ocsp/response';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { createManualClock } from '@gatehouse/runtime/clock';
import { type HttpAnswer, ocspPath, ocspPost, ocspRequest, withGate } from './support/http.ts';
import { responder, signedStatus, strangerCertificate } from './support/signed.ts';
import { take } from './support/state.ts';

const noon = new Date('2026-06-01T12:00:00Z');
const midnight = new Date('2026-06-02T00:00:00Z');
const times = { thisUpdate: noon, nextUpdate: midnight };
const hour = 3_600_000;

function statusOf({ status, headers, body }: HttpAnswer): string {
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/ocsp-response');
  assert.equal(Number(headers['content-length']), body.length);
  return readOcspResponse(body).status;
}

function assertNotStored({ headers }: HttpAnswer): void {
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers.etag, undefined);
}

/** What the core signs live of a certificate that is good. */
function liveResponse(): Buffer {
  const { signatureAlgorithm, certificate } = responder;
  return composeOcspResponse({ ...signedStatus(times).sha1, signatureAlgorithm, certificates: [certificate] });
}

describe('RFC 6960 appendix A: OCSP over HTTP', () => {
  for (const hash of ['sha1', 'sha256'] as const) {
    it(`GET and POST answer a CertID by ${hash} with what was signed`, async () => {
      await withGate({}, async ({ state, send, counted, asked }) => {
        const status = signedStatus();
        state.responses.take({ responders: [responder], responses: [status] }, true);
        const request = ocspRequest(['0a01'], { hash });
        const [byGet, byPost] = [await send(ocspPath(request)), await send('/ocsp', ocspPost(request))];
        assert.equal(statusOf(byGet), 'successful');
        assert.deepEqual(byPost.body, byGet.body);
        assert.ok(byGet.body.includes(status[hash].responseData));
        assert.ok(byGet.body.includes(responder.certificate));
        assert.deepEqual(counted, ['ocsp-get pre-signed', 'ocsp-post pre-signed']);
        assert.deepEqual(asked, []);
      });
    });
  }

  it('takes requests at the bare host, raw and escaped, with a slash too many', async () => {
    await withGate({}, async ({ state, send }) => {
      take(state, [{}]);
      const base64 = ocspRequest().toString('base64');
      for (const path of [`/${base64}`, `//${base64}`, `/ocsp//${base64}`, `/ocsp/${encodeURIComponent(base64)}`]) {
        assert.equal(statusOf(await send(path)), 'successful', path);
      }
      for (const path of ['/', '/ocsp/', '/ocsp']) assert.equal(statusOf(await send(path, ocspPost())), 'successful');
    });
  });

  it('HEAD says what GET would say', async () => {
    await withGate({}, async ({ state, send }) => {
      take(state, [{}]);
      const [get, head] = [await send(ocspPath()), await send(ocspPath(), { method: 'HEAD' })];
      assert.equal(head.body.length, 0);
      for (const name of ['content-length', 'etag', 'last-modified', 'expires', 'content-type']) {
        assert.equal(head.headers[name], get.headers[name], name);
      }
    });
  });

  it('answers a signed request, and one without Content-Type', async () => {
    await withGate({}, async ({ state, send }) => {
      take(state, [{}]);
      assert.equal(statusOf(await send('/ocsp', { method: 'POST', body: ocspRequest() })), 'successful');
    });
  });

  for (const [what, path, request, status, allow] of [
    ['a GET without a request', '/ocsp', {}, 405, 'POST'],
    ['a GET with the request in the query', `/ocsp?${ocspRequest().toString('base64')}`, {}, 405, 'POST'],
    ['a POST to the path of a GET', ocspPath(), ocspPost(), 405, 'GET, HEAD'],
    ['PUT', '/ocsp', { method: 'PUT', body: 'x' }, 405, 'POST'],
    ['OPTIONS', '/ocsp', { method: 'OPTIONS' }, 405, 'POST'],
    ['another type of body', '/ocsp', ocspPost(ocspRequest(), { 'content-type': 'text/plain' }), 415],
    ['a body above 2048 octets', '/ocsp', ocspPost(Buffer.alloc(2049)), 413],
    ['chunks above 2048 octets', '/ocsp', ocspPost(Buffer.alloc(2049), { 'transfer-encoding': 'chunked' }), 413],
    ['a request above 2048 octets in the path', ocspPath(Buffer.alloc(2049, 0x30)), {}, 414],
    ['an unknown path', '/nothing', {}, 404],
  ] as const) {
    it(`refuses ${what} with ${status}`, async () => {
      await withGate({}, async ({ send, asked }) => {
        const headers = { ...request.headers } as Record<string, string>;
        const answer = await send(path, { ...request, headers });
        assert.equal(answer.status, status);
        assert.match(answer.body.toString(), /^[^\n]+\n$/);
        assert.equal(answer.headers.allow, allow);
        assertNotStored(answer);
        assert.equal(answer.headers.location, undefined);
        assert.deepEqual(asked, []);
      });
    });
  }
});

describe('RFC 6960 §4.2.1: OCSPResponseStatus', () => {
  const good = ocspRequest();
  for (const [what, der] of [
    ['nothing', Buffer.alloc(0)],
    ['no DER', Buffer.from('hello')],
    ['half a request', good.subarray(0, 40)],
    ['octets after the request', Buffer.concat([good, Buffer.alloc(2)])],
    ['an empty sequence', Buffer.from(sequence())],
    ['no certificates', Buffer.from(sequence(sequence(sequence())))],
  ] as const) {
    it(`malformedRequest for ${what}, by POST and by GET, and the core is not asked`, async () => {
      await withGate({}, async ({ state, send, asked, counted }) => {
        take(state, [{}]);
        const byPost = await send('/ocsp', ocspPost(der));
        assert.equal(statusOf(byPost), 'malformedRequest');
        assertNotStored(byPost);
        if (der.length > 0) assert.equal(statusOf(await send(ocspPath(der))), 'malformedRequest');
        assert.ok(counted.every((count) => count.endsWith(' malformed')));
        assert.deepEqual(asked, []);
      });
    });
  }

  it('malformedRequest for what is no base64', async () => {
    await withGate({}, async ({ send }) => {
      for (const path of ['/ocsp/%', '/ocsp/hello!', '/ocsp/M---']) {
        assert.equal(statusOf(await send(path)), 'malformedRequest', path);
      }
    });
  });

  it('malformedRequest for more certificates than are answered at once', async () => {
    await withGate({}, async ({ send }) => {
      const one = ocspRequest().subarray(4);
      const many = sequence(sequence(sequence(...Array.from({ length: maximumRequests + 1 }, () => one.subarray(2)))));
      assert.equal(statusOf(await send('/ocsp', ocspPost(many))), 'malformedRequest');
    });
  });

  it('unauthorized for another issuer, without the core (RFC 5019 §2.2.3)', async () => {
    await withGate({ published: {} }, async ({ send, asked }) => {
      const answer = await send('/ocsp', ocspPost(ocspRequest(['01'], { issuer: strangerCertificate })));
      assert.equal(statusOf(answer), 'unauthorized');
      assertNotStored(answer);
      assert.deepEqual(asked, []);
    });
  });

  it('unauthorized for an issuer whose certificates have no OCSP', async () => {
    await withGate({ published: { hasOcsp: false } }, async ({ send }) => {
      assert.equal(statusOf(await send(ocspPath())), 'unauthorized');
    });
  });

  it('tryLater when nothing was ever loaded', async () => {
    await withGate({ published: 'nothing' }, async ({ send, counted }) => {
      const answer = await send(ocspPath());
      assert.equal(statusOf(answer), 'tryLater');
      assertNotStored(answer);
      assert.deepEqual(counted, ['ocsp-get not-loaded']);
    });
  });
});

describe('RFC 5019 §6: caching', () => {
  const clock = createManualClock(new Date(noon.getTime() + hour));

  it('a pre-signed answer may be kept until shortly before its nextUpdate', async () => {
    await withGate({ clock }, async ({ state, send }) => {
      take(state, [times]);
      const { headers } = await send(ocspPath());
      assert.equal(headers['last-modified'], 'Mon, 01 Jun 2026 12:00:00 GMT');
      assert.equal(headers.expires, 'Tue, 02 Jun 2026 00:00:00 GMT');
      assert.equal(headers['cache-control'], `public, max-age=${11 * 3600 - 60}, no-transform, must-revalidate`);
      assert.match(String(headers.etag), /^"[\w-]{16}"$/);
      assert.ok(headers.date !== undefined);
    });
  });

  it('for no longer than the operator wants', async () => {
    await withGate({ clock, configuration: { caching: { ocsp: '10m' } } }, async ({ state, send }) => {
      take(state, [times]);
      assert.match(String((await send(ocspPath())).headers['cache-control']), /max-age=600,/);
    });
  });

  it('a client that has it gets 304 with the same header fields', async () => {
    await withGate({ clock }, async ({ state, send, counted }) => {
      take(state, [times]);
      const { headers } = await send(ocspPath());
      const etag = String(headers.etag);
      for (const [field, value] of [
        ['if-none-match', etag],
        ['if-modified-since', String(headers['last-modified'])],
      ] as const) {
        const answer = await send(ocspPath(), { headers: { [field]: value } });
        assert.equal(answer.status, 304);
        assert.equal(answer.body.length, 0);
        for (const name of ['etag', 'expires', 'cache-control', 'last-modified']) {
          assert.equal(answer.headers[name], headers[name], name);
        }
        assert.ok(answer.headers.date !== undefined);
        assert.equal(answer.headers['content-type'], undefined);
      }
      assert.deepEqual(counted.slice(1), ['ocsp-get not-modified', 'ocsp-get not-modified']);
      assert.equal((await send(ocspPath(), { headers: { 'if-match': '"x"' } })).status, 412);
    });
  });

  it('a revocation changes the entity-tag, and is seen also when it was signed in the same second', async () => {
    await withGate({ clock }, async ({ state, send }) => {
      take(state, [times]);
      const { headers, body } = await send(ocspPath());
      take(state, [{ ...times, isRevoked: true }]);
      for (const [field, value] of [
        ['if-none-match', headers.etag],
        ['if-modified-since', headers['last-modified']],
      ] as const) {
        const answer = await send(ocspPath(), { headers: { [field]: String(value) } });
        assert.equal(answer.status, 200);
        assert.notDeepEqual(answer.body, body);
        assert.notEqual(answer.headers.etag, headers.etag);
      }
    });
  });

  it('the answers for both kinds of CertID have entity-tags of their own', async () => {
    await withGate({ clock }, async ({ state, send }) => {
      take(state, [times]);
      const sha1 = await send(ocspPath());
      const sha256 = await send(ocspPath(ocspRequest(['0a01'], { hash: 'sha256' })));
      assert.notEqual(sha1.headers.etag, sha256.headers.etag);
    });
  });

  it('RFC 9110 §13.2.1: conditions on a POST mean nothing', async () => {
    await withGate({ clock }, async ({ state, send }) => {
      take(state, [times]);
      const { headers } = await send(ocspPath());
      const answer = await send('/ocsp', ocspPost(ocspRequest(), { 'if-none-match': String(headers.etag) }));
      assert.equal(answer.status, 200);
    });
  });
});

describe('RFC 6960 §2.4: nothing is served past its nextUpdate', () => {
  it('an answer that has ended is tryLater while the core is away', async () => {
    const clock = createManualClock(new Date(midnight.getTime() - 1));
    await withGate({ clock }, async ({ state, send }) => {
      take(state, [times]);
      assert.equal(statusOf(await send(ocspPath())), 'successful');
      clock.set(midnight);
      const answer = await send(ocspPath());
      assert.equal(statusOf(answer), 'tryLater');
      assertNotStored(answer);
    });
  });

  it('and is asked from the core when it is there', async () => {
    const clock = createManualClock(midnight);
    const core = () => ({ response: ocspErrorResponse('internalError'), validity: undefined });
    await withGate({ clock, core }, async ({ state, send, asked }) => {
      take(state, [times]);
      assert.equal(statusOf(await send(ocspPath())), 'internalError');
      assert.equal(asked.length, 1);
    });
  });
});

describe('requests that the core has to answer', () => {
  const clock = createManualClock(noon);
  const signed = () => ({ response: ocspErrorResponse('sigRequired'), validity: times });
  const nonce = Buffer.from('0123456789abcdef');

  it('an unknown serial number is asked once, and kept for a short while', async () => {
    const own = createManualClock(noon);
    await withGate({ clock: own, core: signed }, async ({ send, asked, counted }) => {
      const path = ocspPath(ocspRequest(['0bad']));
      const first = await send(path);
      assert.equal(first.body.length, 5);
      assert.equal(first.headers['cache-control'], 'public, max-age=30, no-transform, must-revalidate');
      own.advance(20_000);
      const second = await send(path);
      assert.equal(second.headers['cache-control'], 'public, max-age=10, no-transform, must-revalidate');
      assert.equal(asked.length, 1);
      own.advance(11_000);
      await send(path);
      assert.equal(asked.length, 2);
      assert.deepEqual(counted, ['ocsp-get signed', 'ocsp-get kept', 'ocsp-get signed']);
    });
  });

  it('a certificate that is issued in the meantime is answered with what was signed for it', async () => {
    await withGate({ clock, core: signed }, async ({ state, send, counted }) => {
      await send(ocspPath());
      take(state, [times]);
      assert.equal(statusOf(await send(ocspPath())), 'successful');
      assert.equal(counted.at(-1), 'ocsp-get pre-signed');
    });
  });

  it('a certificate that is good, and of which nothing was signed in advance yet, is asked for again at once', async () => {
    const own = createManualClock(noon);
    const good = () => ({ response: liveResponse(), validity: times });
    await withGate({ clock: own, core: good }, async ({ send, asked }) => {
      assert.equal(
        (await send(ocspPath())).headers['cache-control'],
        'public, max-age=0, no-transform, must-revalidate',
      );
      own.advance(499);
      await send(ocspPath());
      assert.equal(asked.length, 1);
      own.advance(1);
      await send(ocspPath());
      assert.equal(asked.length, 2);
    });
  });

  it('the same question by many at once is asked once', async () => {
    await withGate({ clock, core: signed }, async ({ send, asked }) => {
      await Promise.all(Array.from({ length: 10 }, () => send(ocspPath(ocspRequest(['0bad'])))));
      assert.equal(asked.length, 1);
    });
  });

  it('RFC 9654: a nonce is ignored where the keep says so', async () => {
    await withGate({ clock, core: signed }, async ({ state, send, asked }) => {
      take(state, [times]);
      assert.equal(statusOf(await send('/ocsp', ocspPost(ocspRequest(['0a01'], { nonce })))), 'successful');
      assert.deepEqual(asked, []);
    });
  });

  it('RFC 9654: a nonce is answered live where the keep says so, and never kept', async () => {
    await withGate({ clock, core: signed, published: { answersNonce: true } }, async ({ state, send, asked }) => {
      take(state, [times]);
      const request = ocspRequest(['0a01'], { nonce });
      for (let i = 0; i < 2; i++) assertNotStored(await send(ocspPath(request)));
      assert.equal(asked.length, 2);
      assert.deepEqual(asked[0]?.nonce, nonce);
      assert.equal(statusOf(await send(ocspPath())), 'successful');
      assert.equal(asked.length, 2);
    });
  });

  it('RFC 6960 §4.1: several certificates are asked for together, and never kept', async () => {
    await withGate({ clock, core: signed }, async ({ state, send, asked }) => {
      take(state, [times]);
      const request = ocspRequest(['0a01', '0a02', '0a03'], { nonce });
      assertNotStored(await send('/ocsp', ocspPost(request)));
      assertNotStored(await send(ocspPath(request)));
      assert.equal(asked.length, 2);
      assert.equal(asked[0]?.certificateIds.length, 3);
      assert.equal(asked[0]?.nonce, undefined);
    });
  });

  for (const [code, status] of [
    ['rate-limited', 'tryLater'],
    ['unavailable', 'tryLater'],
    ['unauthorized', 'tryLater'],
    ['malformed', 'malformedRequest'],
    ['not-found', 'unauthorized'],
    ['internal', 'internalError'],
  ] as const) {
    it(`what the core refuses as ${code} becomes ${status}`, async () => {
      const core = () => Promise.reject(new CoreError(code, 'a detail of the core'));
      await withGate({ clock, core }, async ({ send }) => {
        const answer = await send(ocspPath());
        assert.equal(statusOf(answer), status);
        assertNotStored(answer);
      });
    });
  }

  it('one address cannot ask for more than its share: tryLater, and what is signed goes on', async () => {
    const configuration = { live: { address: { perSecond: 1, burst: 3 } } };
    await withGate({ clock, core: signed, configuration }, async ({ state, send, asked, counted }) => {
      take(state, [times]);
      for (let i = 0; i < 6; i++) await send(ocspPath(ocspRequest([`0b0${i}`])));
      assert.equal(asked.length, 3);
      assert.equal(counted.filter((count) => count === 'ocsp-get rate-limited').length, 3);
      assert.equal(statusOf(await send(ocspPath())), 'successful');
    });
  });

  it('no more than a number of questions are with the core at once', async () => {
    const release = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const core = async () => {
      arrived.resolve();
      await release.promise;
      return signed();
    };
    await withGate({ clock, core, configuration: { live: { atOnce: 1 } } }, async ({ send }) => {
      const first = send(ocspPath(ocspRequest(['0b01'])));
      await arrived.promise;
      assert.equal(statusOf(await send(ocspPath(ocspRequest(['0b02'])))), 'tryLater');
      release.resolve();
      assert.equal((await first).headers['content-type'], 'application/ocsp-response');
    });
  });

  it('what is remembered is bounded', async () => {
    await withGate({ clock, core: signed, configuration: { live: { cacheSize: 2 } } }, async ({ send, asked }) => {
      for (const serialNumber of ['01', '02', '03', '03', '02', '01'])
        await send(ocspPath(ocspRequest([serialNumber])));
      assert.equal(asked.length, 4);
    });
  });

  it('tryLater at once while the core is away', async () => {
    await withGate({ clock }, async ({ send, counted }) => {
      assert.equal(statusOf(await send(ocspPath())), 'tryLater');
      assert.deepEqual(counted, ['ocsp-get core-away']);
    });
  });

  it('a failure of the gate itself says nothing about itself', async () => {
    const core = () => Promise.reject(new Error('a secret'));
    await withGate({ clock, core }, async ({ send }) => {
      const { status, body } = await send(ocspPath());
      assert.deepEqual([status, body.toString()], [500, 'internal error\n']);
    });
  });
});

describe('limits of an address', () => {
  it('above its rate every request is 429 with Retry-After', async () => {
    const configuration = { limits: { address: { perSecond: 1, burst: 2 } } };
    await withGate({ configuration, clock: createManualClock(noon) }, async ({ state, send }) => {
      take(state, [times]);
      for (const status of [200, 200, 429]) assert.equal((await send(ocspPath())).status, status);
      const answer = await send('/chain.pem');
      assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '5']);
    });
  });
});
