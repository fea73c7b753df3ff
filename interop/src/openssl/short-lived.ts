// Certificates that are over before word of a revocation would have reached anybody, RFC 9608: they name no status and say
// that there is none.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import { enrollNew } from '../curl/enroll.ts';
import type { Session } from '../session.ts';
import { readPointers } from '../status/pointers.ts';

/** The operation. */
export const shortLived: Operation = {
  name: 'x509 -text: a short-lived certificate says that it has no status',
  section: 'RFC 9608 §2',
  run: expectNoRevocation,
};

async function expectNoRevocation(session: Session): Promise<void> {
  const wanted = { subject: ['CN=brief.example.com'], names: ['DNS:brief.example.com'] };
  const { certificateFile } = await enrollNew(session, 'brief', 'short-lived', wanted);
  const { ocsp, crls } = await readPointers(certificateFile);
  assert.deepEqual([ocsp, crls], [[], []], 'it must name neither a responder nor a CRL');
  const shown = (await output('openssl', ['x509', '-in', certificateFile, '-noout', '-text'])).toString('latin1');
  // id-ce-noRevAvail, which older versions of openssl do not know by name; its value is NULL, and it is not critical.
  assert.match(shown, /(2\.5\.29\.56|X509v3 No Revocation Available): *\n/);
}
