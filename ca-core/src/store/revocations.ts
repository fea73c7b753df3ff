// Which certificates do not stand. Revoking is one row, never a rebuild of anything (CORE.md, Revocation), and one change
// behind it from which CRLs and OCSP follow.
// A revocation is for good: only a hold can be released or turned into one.

import { CoreError } from '@gatehouse/proto/core-error';
import type { RevocationState } from './database.ts';
import { compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import { insertStatusChange } from './status-changes.ts';
import type { WriteOperation } from './write-set.ts';

/** A change of status of a certificate that is on record. */
export type NewRevocation = {
  readonly serialNumber: string;
  /** CRLReason, RFC 5280 §5.3.1. */
  readonly reason: number;
  readonly revokedAt: Date;
  readonly invalidityDate?: Date | undefined;
  /** URI of the caller that asked. */
  readonly actor: string;
};

// A CRL is made from this table alone: what it needs of the certificate is copied, by the database itself.
const insert = `insert into "revocations"
  ("state", "reason", "revoked_at", "invalidity_date", "actor", "serial_number", "authority", "crl_scope", "not_after")
  select ?, ?, ?, ?, ?, "serial_number", "authority", "crl_scope", "not_after"
  from "certificates" where "serial_number" = ?`;

// RFC 5280 §5.3.1: a certificate on hold may be revoked for good.
const revoke = `${insert} on conflict ("serial_number") do update set
  "state" = excluded."state", "reason" = excluded."reason", "revoked_at" = excluded."revoked_at",
  "invalidity_date" = excluded."invalidity_date", "actor" = excluded."actor"
  where "revocations"."state" = 'held'`;

const hold = `${insert} on conflict ("serial_number") do nothing`;

const release = compileQuery((database) =>
  database
    .deleteFrom('revocations')
    .where('serial_number', '=', slot<string>(0))
    .where('state', '=', slot<RevocationState>(1)),
);

const selectRevokedCredentials = compileQuery((database) =>
  database
    .selectFrom('revocations')
    .select('serial_number')
    .where('authority', '=', slot<string>(0))
    .where('not_after', '>=', slot<number>(1)),
);

/** Revokes for good. Fails with CoreError `already-revoked`. */
export function revokeCertificate(revocation: NewRevocation): readonly WriteOperation[] {
  return change(revoke, 'revoked', revocation, 'is revoked already');
}

/** Puts on hold. Fails with CoreError `already-revoked`, also when it is on hold. */
export function holdCertificate(revocation: NewRevocation): readonly WriteOperation[] {
  return change(hold, 'held', revocation, 'is revoked or on hold already');
}

/** Releases from hold. Fails with CoreError `conflict` when it is not on hold. */
export function releaseCertificate(serialNumber: string, at: Date): readonly WriteOperation[] {
  return [
    {
      sql: release.sql,
      parameters: [serialNumber, 'held'],
      expects: { rows: 1, otherwise: () => new CoreError('conflict', `certificate ${serialNumber} is not on hold`) },
    },
    insertStatusChange({ serialNumber, state: 'released', at }),
  ];
}

/**
 * Serial numbers of credentials for the bridge that do not stand and have not ended. Throws CoreError `unavailable`.
 */
export function listRevokedCredentials(store: StoreReader, now: Date): readonly string[] {
  return store.all(selectRevokedCredentials, 'service', now.getTime()).map((row) => row.serial_number);
}

function change(
  sql: string,
  state: RevocationState,
  { serialNumber, reason, revokedAt, invalidityDate, actor }: NewRevocation,
  otherwise: string,
): readonly WriteOperation[] {
  return [
    {
      sql,
      parameters: [state, reason, revokedAt.getTime(), invalidityDate?.getTime() ?? null, actor, serialNumber],
      expects: {
        rows: 1,
        otherwise: () => new CoreError('already-revoked', `certificate ${serialNumber} ${otherwise}`),
      },
    },
    // Behind the one that may undo the set.
    insertStatusChange({ serialNumber, state, at: revokedAt }),
  ];
}
