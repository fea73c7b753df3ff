// A core that publishes what a test tells it to, over the real bridge: positions, epochs, CRLs, and nothing else.

import type {
  CrlFacts,
  CrlPart,
  GetCrlRequest,
  GetOcspResponsesRequest,
  GetOcspResponsesResponse,
  Publication,
  StatusChanges,
  WatchStatusRequest,
} from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { SignedCrl } from '@gatehouse/ra-client/status';
import { crlFacts, crlParts, statusChanges } from '@gatehouse/ra-client/testing/status-messages';
import { createServiceAuthority, startTestCore, type TestCore } from '@gatehouse/ra-client/testing/test-core';
import { scopes } from './http.ts';
import { type CrlToMake, responder, type StatusFacts, signedCrl, signedStatus, statusIssuer } from './signed.ts';

/** Makes the credentials of a test. */
export const service = createServiceAuthority();

type Crl = { readonly facts: SignedCrl; readonly octets: Buffer };

/** What a core of a test has to say. */
export class Publisher {
  epoch = 'e1';
  publication: Omit<Publication, 'epoch'> = { issuers: [statusIssuer()], scopes };
  /** Answers live requests. */
  live: (request: GetOcspResponsesRequest) => GetOcspResponsesResponse = () => {
    throw new CoreError('unavailable', 'not now');
  };
  /** What WatchStatus was asked. */
  readonly watched: WatchStatusRequest[] = [];
  /** Octets that are sent in place of the right ones. */
  damages: ((octets: Buffer) => Buffer) | undefined;
  /** What is in the way of GetCrl. */
  beforeCrl: (name: string) => Promise<void> = () => Promise.resolve();
  readonly #messages: StatusChanges[] = [];
  readonly #crls = new Map<string, Crl>();
  #position = 0;
  #woken = Promise.withResolvers<void>();

  /** Signs responses, in one message. */
  sign(...statuses: readonly StatusFacts[]): void {
    this.#position += statuses.length;
    const responses = statuses.map(signedStatus).map((status) => ({ ...status, responderId: responder.id }));
    this.#tell({ responders: [responder], responses });
  }

  /** Makes a CRL. @returns its octets */
  makeCrl(options?: CrlToMake): Buffer {
    const crl = signedCrl(options);
    this.hold(crl);
    this.#tell({ crls: [wireFacts(crl)] });
    return crl.octets;
  }

  /** Has a CRL without telling of it. */
  hold(crl: Crl): void {
    this.#crls.set(`${crl.facts.scope} ${crl.facts.isDelta}`, crl);
  }

  /** Everything begins anew, with nothing. */
  begin(epoch: string): void {
    this.epoch = epoch;
    this.#messages.length = 0;
    this.#position = 0;
  }

  /** Starts to listen. */
  start(port?: number): Promise<TestCore> {
    return startTestCore(
      service,
      {
        getPublication: () => ({ epoch: this.epoch, ...this.publication }),
        watchStatus: (request: WatchStatusRequest) => this.#watch(request),
        getCrl: (request: GetCrlRequest) => this.#sendCrl(request),
        getOcspResponses: (request: GetOcspResponsesRequest) => this.live(request),
      },
      { port },
    );
  }

  #tell(message: Partial<StatusChanges>): void {
    this.#messages.push(statusChanges({ epoch: this.epoch, position: this.#position, isCurrent: false, ...message }));
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  async *#watch(request: WatchStatusRequest): AsyncGenerator<StatusChanges> {
    this.watched.push(request);
    const { epoch } = this;
    const from = request.epoch === epoch ? request.afterPosition : 0;
    let told = 0;
    for (;;) {
      const messages = this.#messages.slice(told);
      told += messages.length;
      // What comes with a CRL is told on every stream, as the keep does.
      for (const message of messages) {
        const position = Math.max(from, message.position);
        if (message.position > from || message.crls.length > 0) yield { ...message, position };
      }
      yield statusChanges({ epoch, position: Math.max(from, this.#position) });
      await this.#woken.promise;
    }
  }

  async *#sendCrl({ scope, isDelta }: GetCrlRequest): AsyncGenerator<CrlPart> {
    await this.beforeCrl(scope);
    const crl = this.#crls.get(`${scope} ${isDelta}`);
    if (crl === undefined) throw new CoreError('not-found', 'there is no such CRL');
    const octets = this.damages?.(crl.octets) ?? crl.octets;
    yield* crlParts(wireFacts(crl), octets, 65_536);
  }
}

function wireFacts({ facts, octets }: Crl): CrlFacts {
  const { sha256, baseCrlNumber = 0, ...rest } = facts;
  return crlFacts(octets, { ...rest, sha256: Buffer.from(sha256), baseCrlNumber });
}
