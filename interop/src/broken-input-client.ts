// Sends the broken inputs, by curl or octet by octet through openssl, and looks at the refusals: the status of the table,
// one line of plain text, and no word of what is inside.

import type { BrokenInput } from './broken-input/row.ts';
import { type BrokenMaterial, makeBrokenMaterial } from './broken-material.ts';
import type { Operation } from './client.ts';
import { estPath, toBase64 } from './curl/enroll.ts';
import { curl } from './curl/request.ts';
import { expectPlainRefusal } from './expect-refusal.ts';
import { type HttpAnswer, readLastAnswer } from './http-answer.ts';
import { sendOctets } from './s-client.ts';
import type { Session } from './session.ts';
import type { Stack } from './stack.ts';

/** Operations that must be refused. */
export function refusals(inputs: readonly BrokenInput[]): readonly Operation[] {
  return inputs.map((input) => ({
    name: `refuses ${input.name}: ${input.status}`,
    section: input.section,
    run: async (session) => expectPlainRefusal(await send(session, input), input.status, input.header),
  }));
}

/** Made once a stack: what is in order stays so. */
const materials = new WeakMap<Stack, Promise<BrokenMaterial>>();

function materialOf(session: Session): Promise<BrokenMaterial> {
  const material = materials.get(session.stack) ?? makeBrokenMaterial(session);
  materials.set(session.stack, material);
  return material;
}

async function send(session: Session, input: BrokenInput): Promise<HttpAnswer> {
  const material = await materialOf(session);
  if ('octets' in input) return readLastAnswer((await sendOctets(session, input.octets(material))).stdout);
  const plain = { path: estPath('simpleenroll'), body: toBase64(material.valid), account: session.stack.demoUser };
  return await curl(session, { ...plain, ...(await input.request(material)) });
}
