// Incidents, RFC 9773 §4.2: certificates that should be renewed now because an operator says so, told to many clients at
// once by renewal information. An incident revokes nothing.

import { slot } from '@gatehouse/runtime/database/queries';
import type { StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { IncidentTable } from './database.ts';
import { compileInsert, compileQuery } from './queries.ts';

/** Which certificates an incident is about: those that fit all of what is given. */
export const incidentSelectorSchema = z.strictObject({
  /** Lower-case hexadecimal. */
  serialNumbers: z.array(z.string()).optional(),
  /** Ids of accounts. */
  accounts: z.array(z.string()).optional(),
  /** Valid from this time on, and before that one; epoch milliseconds. */
  issuedFrom: z.int().optional(),
  issuedBefore: z.int().optional(),
});

/** What the schema yields. */
export type IncidentSelector = z.output<typeof incidentSelectorSchema>;

/** An incident. */
export type Incident = {
  readonly id: string;
  readonly selector: IncidentSelector;
  /** Shown to clients. */
  readonly explanationUrl: string | undefined;
  /** The suggestedWindow that clients are told. */
  readonly windowStart: Date;
  readonly windowEnd: Date;
  readonly createdAt: Date;
  readonly endedAt: Date | undefined;
};

type Row = Selectable<IncidentTable>;

/** Most incidents that are looked at; an operator ends old ones. */
export const maximumIncidents = 1_000;

const insert = compileInsert('incidents', [
  'id',
  'selector',
  'explanation_url',
  'window_start',
  'window_end',
  'created_at',
]);

const selectActive = compileQuery((database) =>
  database
    .selectFrom('incidents')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(sql.lit(maximumIncidents)),
);

const selectActiveIds = compileQuery((database) =>
  database
    .selectFrom('incidents')
    .select('id')
    .where('ended_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(sql.lit(maximumIncidents)),
);

const selectAll = compileQuery((database) =>
  database.selectFrom('incidents').selectAll().orderBy('created_at', 'desc').orderBy('id').limit(slot<number>(0)),
);

const end = compileQuery((database) =>
  database
    .updateTable('incidents')
    .set({ ended_at: slot<number>(0) })
    .where('id', '=', slot<string>(1))
    .where('ended_at', 'is', null)
    .returning('id'),
);

/** Stores an incident. */
export function insertIncident(incident: Omit<Incident, 'endedAt'>): StateOperation {
  return {
    sql: insert.sql,
    parameters: [
      incident.id,
      JSON.stringify(incident.selector),
      incident.explanationUrl ?? null,
      incident.windowStart.getTime(),
      incident.windowEnd.getTime(),
      incident.createdAt.getTime(),
    ],
  };
}

/** Incidents that have not ended, the newest first. */
export async function readActiveIncidents(store: StateStore): Promise<readonly Incident[]> {
  return (await store.all<Row>(selectActive)).map(toIncident);
}

/** Their ids: an incident never changes but by its end. */
export async function readActiveIncidentIds(store: StateStore): Promise<readonly string[]> {
  return (await store.all(selectActiveIds)).map(({ id }) => id);
}

/** All of them, the newest first. */
export async function listIncidents(store: StateStore, limit: number): Promise<readonly Incident[]> {
  return (await store.all<Row>(selectAll, limit)).map(toIncident);
}

/** Ends an incident. @returns whether there was one that had not ended */
export async function endIncident(store: StateStore, id: string, at: Date): Promise<boolean> {
  return (await store.write(end, at.getTime(), id)).length > 0;
}

function toIncident(row: Row): Incident {
  return {
    id: row.id,
    selector: incidentSelectorSchema.parse(JSON.parse(row.selector)),
    explanationUrl: row.explanation_url ?? undefined,
    windowStart: new Date(row.window_start),
    windowEnd: new Date(row.window_end),
    createdAt: new Date(row.created_at),
    endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
  };
}
