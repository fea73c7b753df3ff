// The stack of one client: a DTLS session, the message layer of CoAP on it, block-wise transfers, and the resources on top. It
// wires them together and takes them apart, and writes the lines that tell of it; it decides nothing.

import { addressKey } from '@gatehouse/gateway-kit/connection-limits';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import { formatAddress } from '@gatehouse/runtime/run-file';
import { createBlockwise } from './blockwise/blockwise.ts';
import type { BlockBudget } from './blockwise/budget.ts';
import type { BlockMetrics } from './blockwise/metrics.ts';
import type { Blockwise } from './blockwise/options.ts';
import type { CoapConfiguration } from './config.ts';
import type { DtlsEvents, DtlsSession } from './dtls/transport.ts';
import { createEchoGuard, type EchoValues } from './echo.ts';
import { createMessaging, type Messaging } from './message/messaging.ts';
import type { MessageMetrics } from './message/metrics.ts';
import { ReplyBudget } from './message/reply-budget.ts';
import type { ResourceHandler } from './request.ts';
import type { Client } from './server.ts';
import { subjectOf } from './session-control.ts';
import { readSessionPeer } from './session-peer.ts';

/** What the stacks are made with. */
export type SessionOptions = {
  readonly configuration: Pick<CoapConfiguration, 'blockSize' | 'maximumBody' | 'echo'>;
  /** Makes the handler of one client's requests. */
  readonly createHandler: (client: Client) => ResourceHandler;
  readonly log: Logger;
  readonly clock: Clock;
  readonly messageMetrics: MessageMetrics;
  readonly blockMetrics: BlockMetrics;
  readonly blockBudget: BlockBudget;
  readonly echoValues: EchoValues;
};

type Stack = { readonly messaging: Messaging; readonly blockwise: Blockwise };

/** Makes a stack for each session that opens, and ends it with the session. */
export function createSessions(options: SessionOptions): DtlsEvents {
  const { log } = options;
  const stacks = new Map<string, Stack>();
  const replyBudget = new ReplyBudget();
  return {
    opened: (session) => {
      stacks.set(session.id, createStack(session, options, replyBudget));
      const { id, peer, cipherSuite, certificate, hasExtendedMasterSecret } = session;
      log.info(
        {
          session: id,
          peer: toText(peer),
          cipher: cipherSuite,
          subject: subjectOf(certificate),
          hasExtendedMasterSecret,
        },
        'session opened',
      );
    },
    message: (session, data) => stacks.get(session.id)?.messaging.receive(data),
    closed: (session, reason) => {
      const stack = stacks.get(session.id);
      stacks.delete(session.id);
      // What is still under way above is told that nobody will hear of it.
      stack?.messaging.close();
      stack?.blockwise.close();
      const { id, peer, octetsIn, octetsOut, establishedAt } = session;
      const seconds = Math.round((options.clock.now().getTime() - establishedAt.getTime()) / 1000);
      log.info({ session: id, peer: toText(peer), reason, octetsIn, octetsOut, seconds }, 'session closed');
    },
  };
}

function createStack(session: DtlsSession, options: SessionOptions, replyBudget: ReplyBudget): Stack {
  const { configuration, createHandler, clock, messageMetrics, blockMetrics, blockBudget, echoValues } = options;
  const log = options.log.child({ session: session.id });
  const blockwise = createBlockwise({
    handle: createHandler({ sessionId: session.id, peer: readSessionPeer(session) }),
    limits: { maximumBodyOctets: configuration.maximumBody, preferredBlock: configuration.blockSize },
    budget: blockBudget.of(addressKey(session.peer.address)),
    maximumMessageOctets: session.maximumMessageOctets,
    clock,
    metrics: blockMetrics,
    log,
  });
  const { afterIdle } = configuration.echo;
  const messaging = createMessaging({
    send: (datagram) => session.send(datagram),
    handle:
      afterIdle === undefined
        ? blockwise.handle
        : createEchoGuard({
            values: echoValues,
            sessionId: session.id,
            afterIdleMs: afterIdle,
            clock,
            handle: blockwise.handle,
          }),
    clock,
    log,
    metrics: messageMetrics,
    maximumMessageOctets: session.maximumMessageOctets,
    replyBudget,
  });
  return { messaging, blockwise };
}

function toText({ address, port }: DtlsSession['peer']): string {
  return formatAddress({ host: address, port });
}
