/**
 * Fills the database of a data directory on which nothing runs with certificates that nobody enrolled, through the core's
 * own statements but past its audit log and without waiting for the disk: for what is measured, only their number counts.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { insertCertificate } from '@gatehouse/ca-core/store/certificates';
import { revokeCertificate } from '@gatehouse/ca-core/store/revocations';
import { formatSerialNumber, newInstancePrefix, newSerialNumber } from '@gatehouse/ca-core/x509/serial-number';

/** What is put into the store. */
export type Filling = {
  readonly certificates: number;
  /** How many of them, the first ones, are revoked. */
  readonly revoked: number;
  /** Octets of each certificate. */
  readonly certificateOctets: number;
  /** What stands for each of them; octets that mean nothing unless given. */
  readonly certificate?: Uint8Array;
  /** CRL that they name. */
  readonly crlScope: string;
};

const dayMs = 86_400_000;
/** keyCompromise, superseded, cessationOfOperation and none at all: entries with and without a reason. */
const reasons = [0, 1, 4, 5] as const;

/** Fills the store; answers the serial numbers. */
export function fillStore(directory: string, filling: Filling): readonly string[] {
  const raw = new DatabaseSync(join(directory, 'core.db'));
  const statements = new Map<string, StatementSync>();
  const run = ({ sql, parameters }: ReturnType<typeof insertCertificate>[number]): void => {
    const statement = statements.get(sql) ?? raw.prepare(sql);
    statements.set(sql, statement);
    statement.run(...parameters);
  };
  const serialNumbers: string[] = [];
  const prefix = newInstancePrefix();
  const requester = { kind: 1, id: 'bench', address: '', display: '' } as const;
  const issuedAt = new Date();
  const octets = randomBytes(Math.max(filling.certificateOctets, 32));
  try {
    raw.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN');
    for (let index = 0; index < filling.certificates; index++) {
      const serialNumber = formatSerialNumber(newSerialNumber(prefix));
      serialNumbers.push(serialNumber);
      const name = `host${index}.example.com`;
      const certificate = insertCertificate({
        serialNumber,
        authority: 'issuing',
        profile: 'tls-server',
        registrationAuthority: 'bench',
        requester,
        requestId: `bench-${index}`,
        subject: `CN=${name}`,
        searchNames: [name],
        keyFingerprint: randomBytes(32),
        certificate: filling.certificate ?? octets.subarray(0, filling.certificateOctets),
        tbsSha256: octets.subarray(0, 32),
        notBefore: issuedAt,
        notAfter: new Date(issuedAt.getTime() + 90 * dayMs),
        issuedAt,
        crlScope: filling.crlScope,
      });
      for (const operation of certificate) run(operation);
      if (index >= filling.revoked) continue;
      const reason = reasons[index % reasons.length] ?? 0;
      const revocation = revokeCertificate({ serialNumber, reason, revokedAt: issuedAt, actor: 'bench' });
      for (const operation of revocation) run(operation);
    }
    raw.exec('COMMIT');
  } finally {
    raw.close();
  }
  return serialNumbers;
}
