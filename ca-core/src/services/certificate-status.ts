/** The service that publishes status: signed answers, ready to serve. Nothing in here decides, and nothing leaves a key. */
import { type FileHandle, open } from 'node:fs/promises';
import {
  type CertificateStatusServer,
  CertificateStatusService,
  type CrlPart,
  type GetCrlRequest,
  type Publication,
} from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/proto/core-error';
import { rootScope } from '../jobs/root-crl-import.ts';
import type { StatusPublication } from '../jobs/status-publication.ts';
import { crlFacts, openedResponses, watchStatus } from '../jobs/status-watch.ts';
import type { Keep } from '../keep.ts';
import { type HandlerOptions, serverStreaming, unary } from './handler.ts';
import { asBuffer } from './messages.ts';

/** What the service needs besides what all need. */
export type CertificateStatusOptions = HandlerOptions & { readonly status: StatusPublication };

/** Octets in one part of a CRL: a message with one fits into what both ends of the bridge take. */
const partOctets = 192 * 1024;

/** Implements `CertificateStatus`. */
export function certificateStatusService(options: CertificateStatusOptions): CertificateStatusServer {
  const { keep, status } = options;
  const path = (method: keyof typeof CertificateStatusService): string => CertificateStatusService[method].path;
  return {
    getPublication: unary(options, path('getPublication'), () => publication(keep, status)),
    getOcspResponses: unary(options, path('getOcspResponses'), async ({ caller }, { queries }) => ({
      responses: await status.ocsp.answer(queries, caller.uri),
    })),
    getCrl: serverStreaming(options, path('getCrl'), (_context, request) => readCrl(status, request)),
    watchStatus: serverStreaming(options, path('watchStatus'), (_context, request) => watchStatus(status, request)),
  };
}

async function publication({ issuing, root }: Keep, status: StatusPublication): Promise<Publication> {
  const { epoch } = await openedResponses(status);
  return {
    epoch,
    issuers: [
      {
        name: issuing.name,
        certificate: asBuffer(issuing.certificate.der),
        hasOcsp: true,
        answersNonce: status.answersNonce,
      },
      // The root's key is not here to say anything but what stands on its CRL.
      { name: rootScope, certificate: asBuffer(root.der), hasOcsp: false, answersNonce: false },
    ],
    scopes: [...status.scopes()],
  };
}

async function* readCrl(
  status: StatusPublication,
  { scope, isDelta }: GetCrlRequest,
): AsyncGenerator<CrlPart, void, undefined> {
  const { file, facts } = await openCrl(status, scope, isDelta);
  try {
    yield { part: { $case: 'facts', value: facts } };
    for (let left = facts.size; left > 0; ) {
      const octets = Buffer.allocUnsafeSlow(Math.min(left, partOctets));
      const { bytesRead } = await file.read(octets, 0, octets.length);
      if (bytesRead === 0) throw new Error(`the file of the CRL ${scope} is too short`);
      left -= bytesRead;
      yield { part: { $case: 'octets', value: octets.subarray(0, bytesRead) } };
    }
  } finally {
    await file.close();
  }
}

/** The file of a CRL, and the facts about just this one: another may take its name while it is opened. */
async function openCrl(status: StatusPublication, scope: string, isDelta: boolean) {
  for (;;) {
    const found = status.find(scope, isDelta);
    if (found === undefined) throw noCrl(status, scope, isDelta);
    const file = await openFile(found.file);
    if (file === undefined) {
      status.noteLost(scope, isDelta);
      throw beingMade(scope);
    }
    if (status.find(scope, isDelta)?.crl === found.crl) return { file, facts: crlFacts(found) };
    await file.close();
  }
}

function noCrl(status: StatusPublication, scope: string, isDelta: boolean): CoreError {
  const isPlanned = status.scopes().some(({ name, hasDelta }) => name === scope && (hasDelta || !isDelta));
  if (isPlanned) return beingMade(scope);
  return new CoreError('not-found', `there is no ${isDelta ? 'delta ' : ''}CRL '${scope.slice(0, 64)}'`);
}

function beingMade(scope: string): CoreError {
  return new CoreError('unavailable', `the CRL '${scope}' is being made`, { retryAfterSeconds: 1 });
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
