/** The first operator's credential, made beside the hierarchy before any core runs: nobody could be asked for it. */
import { generateKeyPairSync } from 'node:crypto';
import { encodePem } from '@gatehouse/pkix/pem';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import { type CredentialIssuer, issueCredential } from '../registry/credential.ts';
import type { Store } from '../store/open-store.ts';
import { insertOperator, listOperators } from '../store/operators.ts';

/** Operators are people: their credential lasts a quarter and is renewed by use. */
export const operatorLifeMs = 90 * 24 * 3_600_000;

/** Makes and records a credential; answers the text of its file: key, certificate, anchors. */
export async function makeOperatorCredential(
  issuer: CredentialIssuer,
  store: Store,
  operator: { readonly name: string; readonly actor: string },
): Promise<string> {
  const { name, actor } = operator;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issued = issueCredential(issuer, {
    kind: 'operator',
    name,
    subjectPublicKeyInfo: publicKey.export({ type: 'spki', format: 'der' }),
    lifeMs: operatorLifeMs,
    requestId: newRequestId(),
  });
  const isKnown = listOperators(store).some((known) => known.name === name);
  await store.commit({
    operations: [...(isKnown ? [] : [insertOperator(name, issuer.clock.now())]), ...issued.operations],
    events: [
      {
        action: isKnown ? 'ra-renewed' : 'operator-added',
        actor,
        serialNumber: issued.serialNumber,
        outcome: 'success',
        body: { operator: name },
      },
    ],
  });
  return [
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...[issued.certificate, ...issuer.service.chain].map((der) => encodePem('CERTIFICATE', der)),
  ].join('');
}
