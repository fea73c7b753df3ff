// Sends the broken inputs to the status gate, by curl or octet by octet, and looks at the refusals: what the table says,
// with nothing in it of what is inside.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type BrokenStatusInput, ocspErrors, type Refusal, type StatusMaterial } from './broken-status/row.ts';
import type { Operation } from './client.ts';
import { output } from './command.ts';
import { certIdFields, craftCertId } from './crafted-ocsp-request.ts';
import { callCurl, describeAnswer } from './curl/request.ts';
import { expectPlainRefusal } from './expect-refusal.ts';
import { type HttpAnswer, readLastAnswer } from './http-answer.ts';
import { sendPlainOctets } from './plain-connection.ts';
import type { Session } from './session.ts';
import type { Stack } from './stack.ts';
import { writeRequest } from './status/openssl-ocsp.ts';

/** Operations that must be refused. */
export function statusRefusals(inputs: readonly BrokenStatusInput[]): readonly Operation[] {
  return inputs.map((input) => ({
    name: `refuses ${input.name}: ${describeRefusal(input.refusal)}`,
    section: input.section,
    run: async (session) => expectRefusal(input.refusal, await send(session, input)),
  }));
}

function describeRefusal(refusal: Refusal): string {
  return 'ocsp' in refusal ? refusal.ocsp : String(refusal.status);
}

/** Made once a stack: what is in order stays so. */
const materials = new WeakMap<Stack, Promise<StatusMaterial>>();

function materialOf(session: Session): Promise<StatusMaterial> {
  const material = materials.get(session.stack) ?? makeMaterial(session);
  materials.set(session.stack, material);
  return material;
}

async function makeMaterial(session: Session): Promise<StatusMaterial> {
  const { chain, status } = session.stack.endpoints;
  const file = session.file('request.der');
  await writeRequest(session, file, { serialNumbers: ['0x4711'], options: ['-no_nonce'] });
  const request = readFileSync(file);
  const fields = certIdFields(request);
  const answer = await callCurl(session, status.ocsp, { body: request, contentType: 'application/ocsp-request' });
  return {
    request,
    certificateId: craftCertId(fields),
    fields,
    response: answer.body,
    certificate: await output('openssl', ['x509', '-in', chain, '-outform', 'DER']),
    authority: new URL(status.ocsp).host,
  };
}

async function send(session: Session, input: BrokenStatusInput): Promise<HttpAnswer> {
  const material = await materialOf(session);
  if ('octets' in input) return readLastAnswer(await sendPlainOctets(material.authority, input.octets(material)));
  const { path = '/ocsp', ...request } = input.request(material);
  return await callCurl(session, `http://${material.authority}${path}`, request);
}

function expectRefusal(refusal: Refusal, answer: HttpAnswer): void {
  if (!('ocsp' in refusal)) {
    expectPlainRefusal(answer, refusal.status, refusal.header);
    return;
  }
  // RFC 6960 appendix A.2: HTTP itself went well.
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('content-type'), 'application/ocsp-response');
  // OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED }, and nothing that would have to be signed.
  assert.equal(answer.body.toString('hex'), `30030a010${ocspErrors[refusal.ocsp]}`);
}
