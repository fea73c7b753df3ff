// Answers that only the keep can give, since they are signed for one request: nonces (RFC 9654), several certificates at
// once, serial numbers of which nothing is held. Nobody gets here without limits: how often an address may ask, how many
// questions are with the keep at once, how long it may take. Answers about unknown serial numbers are given again for a
// short while, so that a scan costs the keep little.

import { addressKey } from '@gatehouse/gateway-kit/connection-limits';
import type { Rate } from '@gatehouse/gateway-kit/rate-limit';
import type { SparingLog } from '@gatehouse/gateway-kit/sparing-log';
import { type OcspErrorStatus, ocspErrorResponse } from '@gatehouse/pkix/ocsp/response';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { OcspAnswer, OcspQuery, StatusClient } from '@gatehouse/ra-client/status';
import type { Clock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import { coreErrors } from './errors.ts';

/** An answer of the keep, or the OCSPResponseStatus for want of one. */
export type LiveAnswer = {
  readonly response: Uint8Array;
  /** Absent when it is not signed. Epoch milliseconds. */
  readonly validity: { readonly thisUpdate: number; readonly nextUpdate: number } | undefined;
  /** Until when it is given again; caches may keep it no longer. 0: never. */
  readonly keptUntil: number;
  /** For metrics. */
  readonly outcome: string;
};

/** How much is asked of the keep. Durations are milliseconds. */
export type LiveLimits = {
  readonly address: Rate;
  readonly atOnce: number;
  readonly timeout: number;
  readonly cacheLife: number;
  readonly cacheSize: number;
};

/** What {@link LiveAnswers} is made of. */
export type LiveAnswersOptions = {
  readonly core: Pick<StatusClient, 'getOcspResponses'>;
  /** Whether it is worth asking. */
  readonly isReachable: () => boolean;
  readonly limits: LiveLimits;
  readonly clock: Clock;
  readonly log: SparingLog;
};

/** Long enough that many who ask for the same one cost the keep little. */
const goodLifeMs = 500;

/** Asks the keep. */
export class LiveAnswers {
  readonly #options: LiveAnswersOptions;
  readonly #limiter: RateLimiter;
  /** Oldest first. */
  readonly #kept = new Map<string, LiveAnswer>();
  readonly #asked = new Map<string, Promise<LiveAnswer>>();
  #underWay = 0;

  constructor(options: LiveAnswersOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#limiter = new RateLimiter({ ratePerSecond: limits.address.perSecond, burst: limits.address.burst, clock });
  }

  /** An answer that was given before and still holds. @param key of {@link ask} */
  find(key: string): LiveAnswer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (kept.keptUntil > this.#options.clock.now().getTime()) return kept;
    this.#kept.delete(key);
    return undefined;
  }

  /**
   * Asks the keep. Never fails: what cannot be answered is an OCSPResponseStatus.
   *
   * @param address of the client
   * @param key of an answer that may be given to others too; undefined for one that is for this request alone
   */
  async ask(query: OcspQuery, address: string, key: string | undefined): Promise<LiveAnswer> {
    const underWay = key === undefined ? undefined : this.#asked.get(key);
    if (underWay !== undefined) return await underWay;
    if (!this.#options.isReachable()) return refuse('tryLater', 'core-away');
    if (!this.#limiter.take(addressKey(address)).ok) return refuse('tryLater', 'rate-limited');
    if (this.#underWay >= this.#options.limits.atOnce) return refuse('tryLater', 'too-many-at-once');
    const answer = this.#askCore(query, key);
    if (key === undefined) return await answer;
    this.#asked.set(key, answer);
    try {
      return await answer;
    } finally {
      this.#asked.delete(key);
    }
  }

  async #askCore(query: OcspQuery, key: string | undefined): Promise<LiveAnswer> {
    const { core, limits, clock, log } = this.#options;
    this.#underWay++;
    try {
      // Who asks for a status does not wait for a keep that restarts: another one may answer, or nobody.
      const options = { timeoutMs: limits.timeout, retryWindowMs: 0 };
      const [signed] = await core.getOcspResponses([query], options);
      if (signed === undefined) return refuse('internalError', 'failed');
      if (signed.validity === undefined) {
        return { response: signed.response, validity: undefined, keptUntil: 0, outcome: 'not-signed' };
      }
      const nextUpdate = signed.validity.nextUpdate.getTime();
      const answer: LiveAnswer = {
        response: signed.response,
        validity: { thisUpdate: signed.validity.thisUpdate.getTime(), nextUpdate },
        keptUntil: key === undefined ? 0 : Math.min(clock.now().getTime() + keptFor(signed, limits), nextUpdate),
        outcome: 'signed',
      };
      if (key !== undefined) this.#keep(key, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      log.warn({ err: error }, 'the CA core did not answer an OCSP request');
      return refuse(coreErrors[error.code], error.code);
    } finally {
      this.#underWay--;
    }
  }

  #keep(key: string, answer: LiveAnswer): void {
    const { cacheSize } = this.#options.limits;
    this.#kept.delete(key);
    if (cacheSize === 0) return;
    if (this.#kept.size >= cacheSize) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(key, answer);
  }
}

/** A certificate that is good may be revoked in the next moment, and this answer is not followed by the keep's word of it. */
function keptFor({ response }: OcspAnswer, { cacheLife }: LiveLimits): number {
  return isGood(response) ? Math.min(cacheLife, goodLifeMs) : cacheLife;
}

function isGood(der: Uint8Array): boolean {
  const response = readOcspResponse(der);
  return response.status === 'successful' && response.singles.some(({ status }) => status.kind === 'good');
}

function refuse(status: OcspErrorStatus, outcome: string): LiveAnswer {
  return { response: ocspErrorResponse(status), validity: undefined, keptUntil: 0, outcome };
}
