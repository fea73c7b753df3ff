// A listener with a small app, for tests of the transport.

import { bodyAnswer, textAnswer } from '@gatehouse/gateway-kit/answer';
import { answerBodyError, BodyError } from '@gatehouse/gateway-kit/body';
import type { GateEnvironment } from '@gatehouse/gateway-kit/exchange';
import {
  type HttpsServer,
  type HttpsServerOptions,
  type ServerCertificate,
  startHttpsServer,
} from '@gatehouse/gateway-kit/https-server';
import { encodePem } from '@gatehouse/pkix/pem';
import { createTestAuthority, createTestKey } from '@gatehouse/ra-client/testing/certificate-builder';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { Hono } from 'hono';

/** Issues everything in these tests. */
export const authority = createTestAuthority('root');
const intermediate = createTestAuthority('intermediate', authority);

/** A server certificate for localhost. */
export function createServerCertificate(commonName = 'localhost'): ServerCertificate {
  const { privateKey, publicKey } = createTestKey();
  const certificate = authority.issue({ commonName, publicKey, names: [{ kind: 'dns', value: 'localhost' }] });
  return {
    certificateChain: encodePem('CERTIFICATE', certificate),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A client certificate with an intermediate, for tls.connect. */
export function createClientCertificate() {
  const { privateKey, publicKey } = createTestKey();
  const certificate = intermediate.issue({ commonName: 'device', publicKey });
  return {
    certificate,
    intermediate: intermediate.certificate,
    options: {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      cert: encodePem('CERTIFICATE', certificate) + encodePem('CERTIFICATE', intermediate.certificate),
    },
  };
}

/** Starts a listener with the routes of these tests, and whatever `extend` adds. */
export async function startTestServer(
  options: Partial<HttpsServerOptions> = {},
  extend: (app: Hono<GateEnvironment>) => void = () => {},
): Promise<HttpsServer> {
  const app = new Hono<GateEnvironment>();
  app.get('/octets/:length', (c) =>
    bodyAnswer(200, 'application/pkcs7-mime', 'x'.repeat(Number(c.req.param('length')))),
  );
  app.get('/bytes/:length', (c) =>
    bodyAnswer(200, 'application/pkcs7-mime', new Uint8Array(Number(c.req.param('length')))),
  );
  app.get('/late', async (c) => {
    await new Promise((resolve) => setImmediate(resolve));
    return c.body('late', 200, { 'content-type': 'text/plain' });
  });
  app.get('/nothing', (c) => c.body(null, 204));
  app.post('/body', async (c) => {
    try {
      return textAnswer(200, `read ${(await c.env.exchange.readBody(1_000)).length}`);
    } catch (error) {
      if (error instanceof BodyError) return answerBodyError(error);
      throw error;
    }
  });
  app.post('/ignore', () => textAnswer(200, 'not read'));
  app.get('/throw', () => {
    throw new Error('a secret');
  });
  extend(app);
  return await startHttpsServer({
    host: '127.0.0.1',
    port: 0,
    app,
    certificate: createServerCertificate(),
    log: silentLog,
    ...options,
  });
}
