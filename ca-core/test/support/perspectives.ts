// Perspectives of a running core, and the keys with which they sign.
import type { KeyObject } from 'node:crypto';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { AddPerspectiveRequest, JoinToken } from '@gatehouse/proto/administration';
import type {
  ListPerspectivesResponse,
  Perspective,
  RegisterSigningKeyRequest,
  SigningKey,
} from '@gatehouse/proto/domain-validation';
import { signingKeyProofType } from '@gatehouse/proto/perspective-statement';
import { type Connection, joinWith, type TestCore, unary } from './running-core.ts';

/** Labels of a perspective; a private one at a site of its own name unless told. */
export type Labels = Partial<Pick<Perspective, 'site' | 'rir' | 'latitude' | 'longitude'>>;

/** The message that registers a perspective. */
export function addPerspectiveRequest(name: string, labels: Labels = {}): AddPerspectiveRequest {
  const { site = name, rir = '', latitude, longitude } = labels;
  return {
    perspective: {
      name,
      site,
      rir,
      latitude,
      longitude,
      isDisabled: false,
      address: '',
      keys: [],
      createdAt: undefined,
      credentialExpiresAt: undefined,
      build: '',
    },
    tokenLife: undefined,
  };
}

/** Registers a perspective; answers its join token. */
export function addPerspective(core: TestCore, name: string, labels: Labels = {}): Promise<JoinToken> {
  return unary((callback) =>
    core.operator.administration.addPerspective(addPerspectiveRequest(name, labels), callback),
  );
}

/** Registers a perspective, joins it and connects as it. */
export async function joinPerspective(core: TestCore, name: string, labels: Labels = {}): Promise<Connection> {
  const { token } = await addPerspective(core, name, labels);
  return core.connect(await joinWith(core.running.address, token));
}

/** All perspectives, as this caller sees them. */
export async function listPerspectives({ validation }: Connection): Promise<readonly Perspective[]> {
  const { perspectives } = await unary<ListPerspectivesResponse>((callback) =>
    validation.listPerspectives({}, callback),
  );
  return perspectives;
}

/** What a proof of a test says other than it should. */
export type ProofChanges = { readonly header?: JsonObject; readonly payload?: JsonObject; readonly signer?: KeyObject };

/** The proof that the holder with this URI has the key. */
export function signingKeyProof(key: KeyObject, holder: string, now: Date, changes: ProofChanges = {}): string {
  const header = { typ: signingKeyProofType, jwk: jwkOfKey(key).jwk, ...changes.header };
  const payload = Buffer.from(JSON.stringify({ holder, issuedAt: now.toISOString(), ...changes.payload }));
  const proof = signCompactJws({ header, payload, key: changes.signer ?? key });
  // The signer writes the algorithm of its key, whatever the header says.
  if (changes.header?.alg === undefined) return proof;
  const text = Buffer.from(JSON.stringify(header)).toString('base64url');
  return text + proof.slice(proof.indexOf('.'));
}

/** Registers a key. */
export function registerSigningKey(
  { validation }: Connection,
  request: Partial<RegisterSigningKeyRequest> & Pick<RegisterSigningKeyRequest, 'proof'>,
): Promise<SigningKey> {
  return unary((callback) => validation.registerSigningKey({ address: '', build: '', ...request }, callback));
}

/** Retires a key. */
export function retireSigningKey({ validation }: Connection, keyId: string): Promise<SigningKey> {
  return unary((callback) => validation.retireSigningKey({ keyId }, callback));
}
