// What every answer of this gate is made from, wired once in main.ts.

import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StatusConfiguration } from './config.ts';
import type { LiveAnswers } from './live-answers.ts';
import type { CrlShelf } from './state/crl-shelf.ts';
import type { Publication } from './state/publication.ts';
import type { Responses } from './state/responses.ts';

/** The parts of the gate. */
export type StatusGate = {
  readonly configuration: Pick<StatusConfiguration, 'caching' | 'downloads'>;
  readonly publication: Publication;
  readonly responses: Responses;
  readonly crls: CrlShelf;
  readonly live: LiveAnswers;
  readonly clock: Clock;
};

/** What is asked for, for metrics and log. */
export type RequestKind = 'ocsp-get' | 'ocsp-post' | 'crl' | 'issuer' | 'chain' | 'other';

/** What an answer depends on beside the path. */
export type StatusRequest = {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
};
