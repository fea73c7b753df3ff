// An EST client that enrols with a password and keeps one connection.

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';

/** An answer of the gate. */
export type EstAnswer = { readonly status: number; readonly retryAfter: string | undefined; readonly body: string };

/** A client of one gate. */
export type EstClient = {
  /** Enrols as `demo`. @param certificationRequest DER */
  enroll(certificationRequest: Uint8Array): Promise<EstAnswer>;
  close(): void;
};

/** Makes a client. */
export function createEstClient(directory: string, port: number): EstClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(join(directory, 'trust/root.pem')) });
  const password = readFileSync(join(directory, 'secrets/est-demo-password'), 'utf8').trimEnd();
  return {
    enroll: (certificationRequest) =>
      new Promise((resolve, reject) => {
        const sent = request(
          {
            agent,
            host: '127.0.0.1',
            port,
            method: 'POST',
            path: '/.well-known/est/simpleenroll',
            auth: `demo:${password}`,
            headers: { 'content-type': 'application/pkcs10' },
          },
          (response) => {
            let body = '';
            response.setEncoding('latin1');
            response.on('data', (chunk: string) => {
              body += chunk;
            });
            response.on('error', reject);
            response.on('end', () => {
              const retryAfter = response.headers['retry-after'];
              resolve({ status: response.statusCode ?? 0, retryAfter, body });
            });
          },
        );
        sent.on('error', reject);
        sent.end(Buffer.from(certificationRequest).toString('base64'));
      }),
    close: () => agent.destroy(),
  };
}

/** The certificate in an answer to an enrollment, DER. */
export function certificateIn({ status, body }: EstAnswer): Uint8Array {
  const [certificate] = status === 200 ? readCertificatesOnly(Buffer.from(body, 'base64')) : [];
  if (certificate === undefined) throw new Error(`no certificate: ${status} ${body}`);
  return certificate;
}
