// Problem documents in the state: written when an order or a challenge fails, shown whenever somebody looks at it.

import { isJsonObject, type JsonObject, parseJson } from '@gatehouse/pkix/jose/json';
import { type Problem, writeProblem } from './problem.ts';

/** The document as it is stored. */
export function storeProblem(problem: Problem): string {
  return JSON.stringify(writeProblem(problem));
}

/** A stored document. */
export function readStoredProblem(text: string): JsonObject {
  const document = parseJson(text);
  return isJsonObject(document) ? document : {};
}
