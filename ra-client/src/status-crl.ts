// Fetches a CRL into a file without ever holding it whole: a CRL of a million entries has some 40 MB. What is not exactly
// what its facts say (size and SHA-256) never becomes a file that somebody could take for a CRL.

import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { type CrlPart, CertificateStatusService as procedures } from '@gatehouse/proto/certificate-status';
import { CoreError } from '@gatehouse/proto/core-error';
import { type Caller, type CallOptions, callStream } from './call.ts';
import { type SignedCrl, toSignedCrl } from './status-messages.ts';

/** Which CRL. */
export type CrlName = { readonly scope: string; readonly isDelta: boolean };

/**
 * Fetches the current CRL of a scope.
 *
 * @param file must not exist; durable when this resolves, gone when it fails
 * @throws {CoreError} `internal` when what came is not what was announced
 */
export async function fetchCrl(
  caller: Caller,
  name: CrlName,
  file: string,
  options: CallOptions | undefined,
): Promise<SignedCrl> {
  const handle = await open(file, 'wx', 0o644);
  try {
    const facts = await receive(callStream(caller, procedures.getCrl, name, options), name, handle);
    await handle.sync();
    await handle.close();
    return facts;
  } catch (error) {
    await handle.close();
    await rm(file, { force: true });
    throw error;
  }
}

async function receive(parts: AsyncIterable<CrlPart>, name: CrlName, handle: FileHandle): Promise<SignedCrl> {
  const hash = createHash('sha256');
  let facts: SignedCrl | undefined;
  let size = 0;
  for await (const { part } of parts) {
    if (part?.$case === 'facts' && facts === undefined) {
      facts = toSignedCrl(part.value);
      if (facts.scope !== name.scope || facts.isDelta !== name.isDelta) throw damaged(name, 'it is another one');
    } else if (part?.$case === 'octets' && facts !== undefined) {
      size += part.value.length;
      // Before it is written: a stream without end must not fill the disk.
      if (size > facts.size) throw damaged(name, `it has more than ${facts.size} octets`);
      hash.update(part.value);
      await handle.write(part.value);
    } else throw damaged(name, 'its parts are out of order');
  }
  if (facts === undefined) throw damaged(name, 'nothing came');
  if (size !== facts.size) throw damaged(name, `it has ${size} octets of ${facts.size}`);
  if (!hash.digest().equals(facts.sha256)) throw damaged(name, 'its SHA-256 is not the one that was announced');
  return facts;
}

function damaged({ scope, isDelta }: CrlName, reason: string): CoreError {
  return new CoreError('internal', `the ${isDelta ? 'delta CRL' : 'CRL'} '${scope}' came damaged: ${reason}`);
}
