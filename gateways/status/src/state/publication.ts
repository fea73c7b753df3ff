// Which issuers are spoken for here, and which CRLs there are: as the keep said it last, also after a start without it. An
// issuer is found by the hashes of its name and key (RFC 6960 §4.1.1), the way an OCSP request names it.

import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { findExtension, keyIdentifier, readSubjectKeyIdentifier } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { type CertificateId, issuerHashes, type OcspHash } from '@gatehouse/pkix/ocsp/certificate-id';
import type { CrlScope, Publication as SentPublication, StatusIssuer } from '@gatehouse/ra-client/status';
import type { Logger } from '@gatehouse/runtime/log';
import { type StatusDatabase, transact } from './database.ts';
import { createRecognizer, type PlainRequest, type RecognizeRequest } from './plain-request.ts';
import { octetsOf } from './response-disk.ts';

/** An authority whose certificates have a status here. */
export type Issuer = {
  readonly name: string;
  readonly certificate: Certificate;
  /** Lower-case hexadecimal: its name in AIA. */
  readonly keyIdentifier: string;
  readonly hasOcsp: boolean;
  readonly answersNonce: boolean;
  readonly hashes: Readonly<Record<OcspHash, { readonly name: Uint8Array; readonly key: Uint8Array }>>;
};

/** What is published, and by whom. */
export class Publication {
  readonly #database: StatusDatabase;
  readonly #log: Logger;
  #issuers: readonly Issuer[];
  #scopes: ReadonlyMap<string, CrlScope>;
  #recognize: RecognizeRequest;

  /** As it was when it was written last; empty before that. */
  constructor(database: StatusDatabase, log: Logger) {
    this.#database = database;
    this.#log = log;
    const { raw } = database;
    this.#issuers = raw.prepare('select * from issuers order by rank').all().map(toIssuer);
    this.#scopes = byName(raw.prepare('select * from scopes').all().map(toScope));
    this.#recognize = createRecognizer(this.#issuers);
  }

  /** In the order of the keep: the issuing CA first. Empty: nothing was ever loaded. */
  get issuers(): readonly Issuer[] {
    return this.#issuers;
  }

  /** CRLs by their names. */
  get scopes(): ReadonlyMap<string, CrlScope> {
    return this.#scopes;
  }

  /** The issuer that an OCSP request names, or undefined when it is none of ours. */
  findIssuer({ hash, issuerNameHash, issuerKeyHash }: CertificateId): Issuer | undefined {
    if (hash === 'other') return undefined;
    for (const issuer of this.#issuers) {
      const { name, key } = issuer.hashes[hash];
      if (Buffer.compare(key, issuerKeyHash) === 0 && Buffer.compare(name, issuerNameHash) === 0) return issuer;
    }
    return undefined;
  }

  /** Reads an OCSP request of the plain form for one of our issuers; undefined for any other. */
  recognize(der: Uint8Array): PlainRequest | undefined {
    return this.#recognize(der);
  }

  /**
   * Takes what the keep publishes now, and writes it down.
   *
   * @returns authorities that have another key or are gone, so that nothing that was signed for them is of use
   * @throws {CertificateError} when a certificate cannot be read; then nothing has changed
   */
  replace({ issuers: sent, scopes }: SentPublication): readonly string[] {
    const issuers = sent.map(fromSent);
    const removed = this.#issuers.filter((before) => {
      const now = issuers.find(({ name }) => name === before.name);
      return now === undefined || !haveSameKey(before, now);
    });
    try {
      this.#write(issuers, scopes);
    } catch (error) {
      // It holds all the same; after a restart without the keep, what was published before does.
      this.#log.error({ err: error }, 'what is published cannot be written to the copy');
    }
    this.#issuers = issuers;
    this.#scopes = byName(scopes);
    this.#recognize = createRecognizer(issuers);
    return removed.map(({ name }) => name);
  }

  #write(issuers: readonly Issuer[], scopes: readonly CrlScope[]): void {
    const { raw } = this.#database;
    const addIssuer = raw.prepare(
      'insert into issuers (name, rank, certificate, has_ocsp, answers_nonce) values (?, ?, ?, ?, ?)',
    );
    const addScope = raw.prepare('insert into scopes (name, authority, has_delta) values (?, ?, ?)');
    transact(this.#database, () => {
      raw.exec('delete from issuers; delete from scopes');
      issuers.forEach(({ name, certificate, hasOcsp, answersNonce }, rank) => {
        addIssuer.run(name, rank, certificate.der, hasOcsp ? 1 : 0, answersNonce ? 1 : 0);
      });
      for (const { name, authority, hasDelta } of scopes) addScope.run(name, authority, hasDelta ? 1 : 0);
    });
  }
}

function fromSent({ name, certificate: der, hasOcsp, answersNonce }: StatusIssuer): Issuer {
  const certificate = readCertificate(der);
  return {
    name,
    certificate,
    keyIdentifier: keyIdentifierOf(certificate),
    hasOcsp,
    answersNonce,
    hashes: { sha1: issuerHashes('sha1', certificate), sha256: issuerHashes('sha256', certificate) },
  };
}

function keyIdentifierOf({ extensions, subjectPublicKeyInfo }: Certificate): string {
  const extension = findExtension(extensions, extensionIds.subjectKeyIdentifier);
  const octets =
    extension === undefined ? keyIdentifier(subjectPublicKeyInfo) : readSubjectKeyIdentifier(extension.value);
  return Buffer.from(octets).toString('hex');
}

function haveSameKey(a: Issuer, b: Issuer): boolean {
  const [one, other] = [a.hashes.sha256, b.hashes.sha256];
  return Buffer.compare(one.key, other.key) === 0 && Buffer.compare(one.name, other.name) === 0;
}

type Row = Readonly<Record<string, unknown>>;

function toIssuer(row: Row): Issuer {
  return fromSent({
    name: String(row.name),
    certificate: octetsOf(row.certificate),
    hasOcsp: row.has_ocsp === 1,
    answersNonce: row.answers_nonce === 1,
  });
}

function toScope(row: Row): CrlScope {
  return { name: String(row.name), authority: String(row.authority), hasDelta: row.has_delta === 1 };
}

function byName(scopes: readonly CrlScope[]): ReadonlyMap<string, CrlScope> {
  return new Map(scopes.map((scope) => [scope.name, scope]));
}
