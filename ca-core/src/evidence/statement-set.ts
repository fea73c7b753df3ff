/**
 * Statements that may be combined (mpic.md §3, point 2): of one check and one attempt, about the same identifier, method,
 * account, key and token, and of one opinion about who was to be asked. A statement that differs in any of these is in another
 * set, and missing in this one.
 */
import type { StatementPayload, ValidationMethod } from '@gatehouse/proto/perspective-statement';
import type { Statement } from './statement.ts';

/** A set; its statements are claims until they are judged. */
export type StatementSet = {
  readonly check: StatementPayload['check'];
  readonly identifier: StatementPayload['identifier'];
  readonly isWildcard: boolean;
  readonly method: ValidationMethod;
  readonly account: string;
  readonly thumbprint: string;
  readonly token: string | undefined;
  readonly attempt: string;
  /** Names of the remote perspectives that were to be asked. */
  readonly perspectives: readonly string[];
  readonly statements: readonly Statement[];
};

/** Sets by check and identifier. */
export type StatementSets = {
  /** Sets about an identifier, the newest attempt first. */
  find(check: StatementSet['check'], type: 'dns' | 'ip', value: string): readonly StatementSet[];
};

/** Puts statements into sets. */
export function groupStatements(statements: Iterable<Statement>): StatementSets {
  const sets = Map.groupBy(statements, ({ payload }) => setKey(payload));
  const byIdentifier = Map.groupBy(sets.values().map(toSet), ({ check, identifier }) =>
    identifierKey(check, identifier.type, identifier.value),
  );
  for (const found of byIdentifier.values()) found.sort((a, b) => newest(b) - newest(a));
  return { find: (check, type, value) => byIdentifier.get(identifierKey(check, type, value)) ?? [] };
}

/** What all statements of a set have in common, so that two sets never have one key. */
function setKey(payload: StatementPayload): string {
  const { check, identifier, isWildcard, method, account, thumbprint, token, attempt, perspectives } = payload;
  return JSON.stringify([
    check,
    identifier.type,
    identifier.value,
    isWildcard,
    method,
    account,
    thumbprint,
    token ?? '',
    attempt,
    perspectives,
  ]);
}

function toSet(statements: Statement[]): StatementSet {
  const [first] = statements;
  if (first === undefined) throw new RangeError('a set has at least one statement');
  const { check, identifier, isWildcard, method, account, thumbprint, token, attempt, perspectives } = first.payload;
  return { check, identifier, isWildcard, method, account, thumbprint, token, attempt, perspectives, statements };
}

function identifierKey(check: string, type: string, value: string): string {
  return `${check} ${type} ${value}`;
}

function newest({ statements }: StatementSet): number {
  return Math.max(...statements.map(({ finishedAt }) => finishedAt));
}
