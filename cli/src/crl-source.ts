/** Where a CRL comes from that a person names: a file, a URL, or a scope of the running core. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeBase64 } from '@gatehouse/pkix/base64';
import { maximumCertificateListOctets } from '@gatehouse/pkix/crl/certificate-list';
import { FatalError } from '@gatehouse/runtime/fatal';
import { download } from './http.ts';
import { asOperator, type OperatorOptions } from './operator.ts';

/** Whose CRL is meant. */
export type CrlName = { readonly name: string; readonly isDelta: boolean };

const fetchTimeoutMs = 120_000;

/** Reads the DER of a CRL. Throws FatalError. */
export async function readCrl({ name, isDelta }: CrlName, options: OperatorOptions): Promise<Buffer> {
  const isUrl = /^[a-z]+:\/\//i.test(name);
  if (isDelta && (isUrl || existsSync(name))) {
    throw new FatalError('--delta is for a scope; name the file or the URL of the delta CRL itself');
  }
  if (isUrl) {
    return toDer(
      await download(name, { maximumOctets: maximumCertificateListOctets, timeoutMs: fetchTimeoutMs }),
      name,
    );
  }
  if (existsSync(name)) return toDer(readCrlFile(name), name);
  if (/^[a-z]+(?:-[a-z0-9]+)?$/.test(name)) return await fetchFromCore(name, isDelta, options);
  throw new FatalError(`there is no file ${name}, and it is neither a scope nor a URL`, {
    hint: "see the scopes with 'gatehouse crl list'",
  });
}

function readCrlFile(file: string): Buffer {
  try {
    if (statSync(file).size > 2 * maximumCertificateListOctets) throw new FatalError(`${file} is too large for a CRL`);
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    throw new FatalError(`cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** As the core streams it, by way of a file, so that it is whole or not there. */
async function fetchFromCore(scope: string, isDelta: boolean, options: OperatorOptions): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-crl-'));
  try {
    const file = join(folder, `${scope}.crl`);
    await asOperator(options, ({ status }) => status.getCrl(scope, isDelta, file, { timeoutMs: fetchTimeoutMs }));
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const begin = '-----BEGIN X509 CRL-----';
const end = '-----END X509 CRL-----';

/** RFC 7468 §6. A large CRL in PEM is larger than any other PEM text that the house reads, so it is not read as one. */
function toDer(octets: Buffer, source: string): Buffer {
  const from = octets.indexOf(begin);
  if (from < 0) return octets;
  const to = octets.indexOf(end, from);
  const der = to < 0 ? undefined : decodeBase64(octets.subarray(from + begin.length, to));
  if (der === undefined) throw new FatalError(`${source} is not a CRL: its PEM is damaged`);
  return Buffer.from(der.buffer, der.byteOffset, der.length);
}
