/**
 * What `gatehouse ocsp query` does: asks as a relying party would that trusts nothing but the issuer, and tells the answer
 * in words and in the status of the command.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { formatName } from '@gatehouse/pkix/names';
import { type OcspHash, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readCertificateFile } from './certificate-file.ts';
import { type DataDirectory, dataDirectory } from './data-directory.ts';
import { findIssuer, informationAccess, trustedHere } from './issuer.ts';
import { describeOcspAnswer, formatOcspAnswer, type OcspAnswer, readOcspAnswer } from './ocsp-answer.ts';
import { askResponder, type Method } from './ocsp-exchange.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { print, printJson } from './output.ts';
import { parseSerialNumber } from './serial-number.ts';

/** What the command line says. */
export type QueryOptions = OperatorOptions & {
  readonly issuer?: string | undefined;
  readonly url?: string | undefined;
  readonly nonce?: boolean | undefined;
  readonly sha1?: boolean | undefined;
  readonly get?: boolean | undefined;
  readonly post?: boolean | undefined;
};

/** Told in the help; 1 is for everything else. */
const exitCodes: Readonly<Record<OcspAnswer['status']['kind'], number>> = { good: 0, revoked: 2, unknown: 3 };

/** RFC 9654 §2.1: 32 octets for new clients. */
const nonceOctets = 32;

/** Asks, and sets the exit status by what is answered. Throws FatalError when no answer holds. */
export async function queryOcsp(what: string, options: QueryOptions): Promise<void> {
  const data = dataDirectory(options.data);
  const [certificate, ...others] = await findCertificate(what, options);
  const issuer = await findIssuer(certificate, { file: options.issuer, others, data });
  const url = options.url ?? responderOf(certificate, issuer, data);
  const hash: OcspHash = options.sha1 === true ? 'sha1' : 'sha256';
  const nonce = options.nonce === true ? randomBytes(nonceOctets) : undefined;
  const certificateId = writeCertificateId(hash, issuer, certificate.serialNumber);
  const request = writeOcspRequest({ certificateIds: [certificateId], nonce });
  const exchange = await askResponder({ url, request, method: methodOf(options) });
  const answer = readOcspAnswer(exchange.response, { url, certificateId, issuer, nonce, now: new Date() });

  process.exitCode = exitCodes[answer.status.kind];
  const asked = { url, method: exchange.method, hash, certificate };
  if (options.json === true) printJson(describeOcspAnswer(answer, asked));
  else print(formatOcspAnswer(answer, asked));
}

function methodOf({ get, post }: QueryOptions): Method | undefined {
  if (get === true) return 'GET';
  return post === true ? 'POST' : undefined;
}

/** The certificate, and what stands in the same file. */
async function findCertificate(
  what: string,
  options: OperatorOptions,
): Promise<readonly [Certificate, ...Certificate[]]> {
  if (existsSync(what)) return readCertificateFile(what);
  if (!/^[0-9a-fA-F:\s]+$|^0x/i.test(what)) {
    throw new FatalError(`there is no file ${what}, and it is no serial number`, {
      hint: 'name a file with the certificate, or its serial number in hexadecimal',
    });
  }
  const serialNumber = parseSerialNumber(what);
  const record = await asOperator(options, (core) => core.getCertificate({ serialNumber }));
  return [readCertificate(record.certificate)];
}

/** The responder that the certificate names; for those of this CA that name none, the gate that runs here. */
function responderOf(certificate: Certificate, issuer: Certificate, data: DataDirectory): string {
  const [named] = informationAccess(certificate).ocsp;
  if (named !== undefined) return named;
  const isOurs = trustedHere(data).some((own) => Buffer.compare(own.der, issuer.der) === 0);
  const running = isOurs ? runningResponder(data) : undefined;
  if (running !== undefined) return running;
  throw new FatalError(`the certificate of '${formatName(certificate.subject)}' names no OCSP responder`, {
    hint: 'name one: --url http://ocsp.example.com',
  });
}

function runningResponder({ endpoints }: DataDirectory): string | undefined {
  try {
    const { status } = JSON.parse(readFileSync(endpoints, 'utf8')) as { readonly status?: { readonly ocsp?: unknown } };
    return typeof status?.ocsp === 'string' ? status.ocsp : undefined;
  } catch {
    return undefined;
  }
}
