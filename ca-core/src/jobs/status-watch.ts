/**
 * WatchStatus: everything that was signed behind a position, page by page, then each as it is signed. The log is compacted:
 * a certificate whose response was signed again is told of once, at its newest position, so that a reader that was away for
 * a day is brought up to date by no more than there is. Nothing is buffered for a reader that is slow.
 */
import type {
  CrlFacts,
  OcspResponder,
  PreSignedResponse,
  StatusChanges,
  WatchStatusRequest,
} from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/proto/core-error';
import type { ResponseReader, StoredResponder, StoredResponse } from '../store/responses/response-reader.ts';
import type { PublishedCrl } from './crl-publisher.ts';

/** What can be followed. */
export type StatusSource = {
  /** Undefined until the status thread has opened its database for the first time; another one when it was opened again. */
  responses(): ResponseReader | undefined;
  /** Another number: {@link StatusSource.crls} has something new. */
  crlVersion(): number;
  crls(): readonly PublishedCrl[];
  /** Until something is new, or so many milliseconds are over. */
  wait(timeoutMs: number): Promise<void>;
  isClosing(): boolean;
};

/** A message without content comes this often, so that a reader knows that nobody has died. */
const heartbeatMs = 2_000;

/** A page of responses with ML-DSA signatures has 64 times as many octets as one with ECDSA, and must fit into a message. */
const pageOctets = 96 * 1024;
const pageRows = 128;
const crlsInMessage = 256;

/** Follows. Throws CoreError `unavailable` when the core cannot tell what there is, or stops. */
export async function* watchStatus(
  source: StatusSource,
  request: WatchStatusRequest,
): AsyncGenerator<StatusChanges, void, undefined> {
  const opening = await openedResponses(source);
  const { epoch } = opening;
  // A position from ahead is from before a backup was restored: what stands behind it now is something else.
  const isKnown = request.epoch === epoch && request.afterPosition <= opening.position();
  let position = isKnown ? request.afterPosition : 0;
  const responders = new Map<number, StoredResponder>();
  const crls = createCrlFollower(source);
  for (;;) {
    const page = readPage(readerOf(source, epoch), position, responders);
    position = page.position;
    const news = crls.next(crlsInMessage);
    const isCurrent = page.isLast && !crls.hasMore();
    yield { epoch, ...page.contents, position, crls: news, isCurrent };
    // The reader may have taken its time: only now it is known whether there is nothing to tell.
    if (isCurrent && !crls.hasMore() && !hasNews(readerOf(source, epoch), position)) await source.wait(heartbeatMs);
  }
}

/** The responses, as soon as they can be read. Throws CoreError `unavailable` when that takes too long. */
export async function openedResponses(source: Pick<StatusSource, 'responses' | 'wait'>): Promise<ResponseReader> {
  for (let waits = 0; waits < 3; waits++) {
    const reader = source.responses();
    if (reader !== undefined) return reader;
    await source.wait(heartbeatMs);
  }
  throw notNow('the CA core has not opened its responses yet');
}

function readerOf(source: StatusSource, epoch: string): ResponseReader {
  if (source.isClosing()) throw notNow('the CA core is stopping');
  const reader = source.responses();
  if (reader?.epoch !== epoch) throw notNow('another epoch has begun');
  return reader;
}

function notNow(detail: string): CoreError {
  return new CoreError('unavailable', detail, { retryAfterSeconds: 1 });
}

function hasNews(reader: ResponseReader, position: number): boolean {
  return reader.listAfter(position, 1).length > 0;
}

type Page = {
  readonly contents: { readonly responders: OcspResponder[]; readonly responses: PreSignedResponse[] };
  readonly position: number;
  readonly isLast: boolean;
};

/** Responses behind a position, as many as go into a message. `known` are responders that this stream was told of. */
function readPage(reader: ResponseReader, position: number, known: Map<number, StoredResponder>): Page {
  const contents: Page['contents'] = { responders: [], responses: [] };
  const rows = reader.listAfter(position, pageRows);
  let last = position;
  let octets = 0;
  for (const row of rows) {
    if (octets > pageOctets) return { contents, position: last, isLast: false };
    last = row.position;
    const responder = known.get(row.responder) ?? reader.findResponder(row.responder);
    // Of a responder that has ended long ago: the response is over, and about to be signed again.
    if (responder === undefined) continue;
    if (!known.has(row.responder)) {
      known.set(row.responder, responder);
      contents.responders.push({
        id: octetsOf(responder.id),
        certificate: octetsOf(responder.certificate),
        signatureAlgorithm: octetsOf(responder.signature_algorithm),
      });
    }
    const response = preSignedResponse(row, responder.id);
    octets += row.data_sha1.length + row.signature_sha1.length + row.data_sha256.length + row.signature_sha256.length;
    contents.responses.push(response);
  }
  return { contents, position: last, isLast: rows.length < pageRows };
}

function preSignedResponse(row: StoredResponse, responderId: Uint8Array): PreSignedResponse {
  return {
    authority: row.authority,
    serialNumber: row.serial_number,
    responderId: octetsOf(responderId),
    sha1: { responseData: octetsOf(row.data_sha1), signature: octetsOf(row.signature_sha1) },
    sha256: { responseData: octetsOf(row.data_sha256), signature: octetsOf(row.signature_sha256) },
    thisUpdate: new Date(row.this_update),
    nextUpdate: new Date(row.next_update),
  };
}

/** Which CRLs a stream was not told of. */
function createCrlFollower(source: StatusSource) {
  const told = new Map<string, number>();
  let version = -1;
  let waiting: PublishedCrl[] = [];
  return {
    next(limit: number): CrlFacts[] {
      if (version !== source.crlVersion()) {
        version = source.crlVersion();
        waiting = source.crls().filter((published) => told.get(nameOf(published)) !== published.crl.number);
      }
      const page = waiting.splice(0, limit);
      for (const published of page) told.set(nameOf(published), published.crl.number);
      return page.map(crlFacts);
    },
    hasMore: (): boolean => waiting.length > 0 || version !== source.crlVersion(),
  };
}

function nameOf({ plan }: PublishedCrl): string {
  return `${plan.scope} ${plan.isDelta}`;
}

/** Facts of a published CRL as the contract has them. */
export function crlFacts({ plan, crl }: PublishedCrl): CrlFacts {
  return {
    scope: plan.scope,
    isDelta: plan.isDelta,
    crlNumber: crl.number,
    baseCrlNumber: crl.baseNumber ?? 0,
    thisUpdate: new Date(crl.thisUpdate),
    nextUpdate: new Date(crl.nextUpdate),
    entries: crl.entries,
    size: crl.size,
    sha256: octetsOf(crl.sha256),
    authority: plan.authority,
  };
}

/** As the generated code wants them; never copies. */
function octetsOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
