// Python's cryptography, of Debian: what reads status in scripts and in much of the software that manages machines.

import { fileURLToPath } from 'node:url';
import { type Checker, check, checks, expectFinding } from '../checkers/checker.ts';
import type { Client } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { fetchCrl } from '../status/crl-files.ts';
import { deltaUrl, untilListed } from '../status/expect-crl.ts';
import { revoke } from '../status/operator.ts';
import { enrollSubject } from '../status/subject.ts';

/** Debian's own, whatever else is on the path: it alone sees Debian's packages. */
export const pythonProgram = '/usr/bin/python3';

const checker: Checker = [pythonProgram, fileURLToPath(new URL('../../python/status_checker.py', import.meta.url))];

/** Python's cryptography. */
export const pythonClient: Client = {
  name: 'Python cryptography',
  gate: 'status',
  version: async () => {
    const said = await output(pythonProgram, ['-c', 'import cryptography; print(cryptography.__version__)']);
    return said.toString('latin1').trim();
  },
  operations: [
    ...checks(checker),
    { name: 'delta CRL: good, revoked', section: 'RFC 5280 §5.2.4', run: expectDeltaChange },
  ],
};

async function expectDeltaChange(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  expectFinding(await check(checker, 'delta', subject), 'good', undefined);
  const delta = deltaUrl(await fetchCrl(session, subject.crl));
  await revoke(session, subject.serialNumber, 'superseded');
  await untilListed(session, delta, subject.serialNumber, 'Superseded');
  expectFinding(await check(checker, 'delta', subject), 'revoked', 'superseded');
}
