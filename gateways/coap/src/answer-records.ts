// What is told of each answer: one line in the log and one count. Labels of the count are names of this gate's own choosing; the
// query, tokens and payloads are left out of the line, and so are secrets.

import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import { decodeBlock } from './blockwise/block.ts';
import { classOf, formatCode, methods } from './message/codes.ts';
import { optionNumbers } from './message/option-numbers.ts';
import type { CoapRequest } from './request.ts';
import type { AnswerRecord } from './server.ts';

const longestPath = 256;

/** Registers the metrics, and gives what {@link AnswerRecord}s are told to. */
export function createAnswerRecorder(metrics: Metrics, log: Logger): (answer: AnswerRecord) => void {
  const answers = metrics.counter({
    name: 'coap_answers_total',
    help: 'Answers by operation, label and code.',
    labels: ['operation', 'label', 'code'],
  });
  const durations = metrics.histogram({
    name: 'coap_request_duration_seconds',
    help: 'Time from a whole request to its answer.',
  });
  return (answer) => {
    const { client, request, response, operation, label, facts, durationMs } = answer;
    const code = formatCode(response.code);
    answers.labels(operation, label, code).inc();
    durations.observe(durationMs / 1000);
    const line = {
      requestId: request.requestId,
      session: client.sessionId,
      address: client.peer.remoteAddress,
      method: methodName(request.method),
      path: `/${request.path.join('/')}`.slice(0, longestPath),
      operation,
      label,
      code,
      octets: request.payload.length,
      blocks: blocksOf(request),
      answerOctets: response.payload?.length ?? 0,
      durationMs: Math.round(durationMs * 10) / 10,
      outcome: response.outcome,
      ...facts,
    };
    // A pending request and a keep that is away are 5.03 both; only what the gate itself broke is worth a warning.
    if (classOf(response.code) === 5 && response.maxAgeSeconds === undefined) log.warn(line, 'request failed');
    else log.info(line, 'request');
  };
}

function methodName(method: number): string {
  const [name] = Object.entries(methods).find(([, code]) => code === method) ?? [];
  return name === undefined ? formatCode(method) : name.toUpperCase();
}

/** Blocks of the upload: the last one made the request whole. */
function blocksOf({ options }: CoapRequest): number {
  const option = options.find(({ number }) => number === optionNumbers.block1);
  const block = option === undefined ? undefined : decodeBlock(option.value);
  return block === undefined ? 1 : block.number + 1;
}
