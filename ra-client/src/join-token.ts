// A join token as text: where the core is, whom to trust, and a short-lived certificate with its key that can do one thing, once.
// Whoever holds the text can join in the place of the RA or the perspective; it must never be logged or kept.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { FatalError } from '@gatehouse/runtime/fatal';
import { z } from 'zod';
import { type Credential, CredentialError, createCredential } from './credential.ts';

/** What a join token says. */
export type JoinToken = {
  /** `host:port` of each core. */
  readonly addresses: readonly string[];
  /** The credential that may call Join, once. */
  readonly credential: Credential;
};

const prefix = 'gh-join.';
const maximumLength = 16_384;
const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const tokenSchema = z.strictObject({
  v: z.literal(1),
  core: z.array(z.string().min(1).max(256)).min(1).max(16),
  anchor: base64,
  certificate: base64,
  key: base64,
});

/**
 * Reads a join token.
 *
 * @throws {FatalError} when the text is not one, or is damaged
 */
export function parseJoinToken(text: string): JoinToken {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix)) throw damaged(`it does not begin with '${prefix}'`);
  if (trimmed.length > maximumLength) throw damaged('it is too long');
  const fields = tokenSchema.safeParse(parseJson(trimmed.slice(prefix.length)));
  if (!fields.success) throw damaged('its contents are not those of a join token');
  const { core, anchor, certificate, key } = fields.data;
  try {
    const credential = createCredential({
      privateKey: createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
      certificate: new X509Certificate(certificate).raw,
      trustAnchors: [anchor],
    });
    if (credential.party.kind !== 'join') throw damaged('its certificate is not that of a join token');
    return { addresses: core, credential };
  } catch (error) {
    if (error instanceof FatalError) throw error;
    throw damaged(error instanceof CredentialError ? error.message : 'its certificate or its key cannot be read');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function damaged(reason: string): FatalError {
  return new FatalError(`this is not a join token: ${reason}`, {
    hint: "copy the whole line that 'gatehouse ra add' or 'gatehouse perspective add' printed, or ask the operator for a new token",
  });
}
