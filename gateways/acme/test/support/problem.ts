// Asserts that an answer is the problem document that it should be, with everything that each of them carries.

import assert from 'node:assert/strict';
import type { ProblemType } from '../../src/problem.ts';
import type { HttpAnswer } from './client.ts';

/** A problem document as JSON. */
export type ProblemDocument = {
  readonly type: string;
  readonly detail: string;
  readonly status: number;
  readonly subproblems?: readonly {
    readonly type: string;
    readonly detail: string;
    readonly identifier?: { readonly type: string; readonly value: string };
  }[];
  readonly algorithms?: readonly string[];
};

/** Reads a problem document; fails when the answer is none. RFC 7807, RFC 8555 §6.7. */
export function readProblem(answer: HttpAnswer): ProblemDocument {
  assert.equal(answer.headers['content-type'], 'application/problem+json', answer.body);
  const { type, detail, status, ...rest } = JSON.parse(answer.body);
  assert.match(String(type), /^urn:ietf:params:acme:error:[a-zA-Z]+$/);
  assert.ok(typeof detail === 'string' && detail.length > 0, 'a detail for people');
  assert.equal(status, answer.status);
  return { type, detail, status, ...rest };
}

/** Asserts status and type. @returns the document */
export function assertProblem(answer: HttpAnswer, status: number, type: ProblemType): ProblemDocument {
  const problem = readProblem(answer);
  assert.deepEqual([answer.status, problem.type], [status, `urn:ietf:params:acme:error:${type}`], answer.body);
  return problem;
}

/** Asserts an answer that is no problem. */
export function assertStatus(answer: HttpAnswer, status: number): HttpAnswer {
  assert.equal(answer.status, status, answer.body);
  return answer;
}
