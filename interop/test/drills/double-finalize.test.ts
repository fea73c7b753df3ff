// The drill of RFC 8555 §7.4: whoever asks how often for the certificate of an order, there is one. acme.md §11: peers gave
// two certificates for one finalize race.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';
import type { PatientClient } from '../../src/acme/patient-client.ts';
import { type Crew, hireCrew, newRequest } from '../../src/drills/crew.ts';
import { readGateFile } from '../../src/drills/gate-ledger.ts';
import { type House, openHouse } from '../../src/drills/house.ts';
import { serialNumberOf, serialNumbersOf } from '../../src/drills/keep-ledger.ts';
import { createOrderWitness } from '../../src/drills/order-witness.ts';

const rounds = 12;
const requestsPerRound = 8;
const profile = 'tls-server-validated';

let house: House;
let crew: Crew;
const witness = createOrderWitness();
const held: string[] = [];

before(async () => {
  house = await openHouse();
  crew = await hireCrew(house, 2, witness);
});
after(async () => {
  crew?.close();
  await house?.leave();
});

type Race = {
  /** The CSR of each request whose order was answered as finalized. */
  readonly taken: readonly Uint8Array[];
  readonly refused: readonly string[];
  readonly certificate: string;
};

async function eachRound(play: (round: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: rounds }, (_, round) => play(round)));
}

/** One order, finalized with all of these requests at once. */
async function race(client: PatientClient, name: string, requests: readonly Uint8Array[]): Promise<Race> {
  const { url, finalize } = await client.prepare([name]);
  const answers = await Promise.all(
    requests.map((csr) => client.post(finalize, { csr: Buffer.from(csr).toString('base64url') })),
  );
  const taken = requests.filter((_, index) => answers[index]?.status === 200);
  const end = await client.end(url);
  assert.equal(end.kind, 'valid');
  held.push(serialNumberOf(end.certificate));
  for (const { status, headers } of answers) if (status === 200) assert.equal(headers.location, url);
  return {
    taken,
    refused: answers
      .filter(({ status }) => status !== 200)
      .map(({ status, body }) => `${status} ${JSON.parse(body).type}`),
    certificate: end.certificate,
  };
}

describe('RFC 8555 §7.4: raced finalize requests', () => {
  it('with the same CSR are all answered with the order', async () => {
    await eachRound(async (round) => {
      const name = `same${round}.drill.test`;
      const csr = newRequest([name]);
      const { refused, certificate } = await race(crew.clientOf(round), name, Array(requestsPerRound).fill(csr));
      assert.deepEqual(refused, []);
      assertKey(certificate, csr);
    });
  });

  it('with different CSRs are won by one of them, and the others are refused', async () => {
    await eachRound(async (round) => {
      const name = `other${round}.drill.test`;
      const requests = Array.from({ length: requestsPerRound }, () => newRequest([name]));
      const { taken, refused, certificate } = await race(crew.clientOf(round), name, requests);
      const [winner] = taken;
      assert.ok(winner !== undefined && taken.length === 1);
      assertKey(certificate, winner);
      assert.deepEqual(new Set(refused), new Set(['403 urn:ietf:params:acme:error:orderNotReady']));
    });
  });

  it('with two CSRs, each several times, give the certificate of whichever was first', async () => {
    await eachRound(async (round) => {
      const name = `mixed${round}.drill.test`;
      const [one, other] = [newRequest([name]), newRequest([name])];
      const requests = Array.from({ length: requestsPerRound }, (_, index) => (index % 2 === 0 ? one : other));
      const { taken, certificate } = await race(crew.clientOf(round), name, requests);
      assert.equal(taken.length, requestsPerRound / 2);
      assert.equal(new Set(taken).size, 1);
      assertKey(certificate, taken[0] ?? one);
    });
  });

  it('leave one certificate for each order with the keep and with the gate', async () => {
    assert.deepEqual(await serialNumbersOf(house, profile), held.toSorted());
    await house.gate.stop();
    const { orders, certificates, doubtful, leased } = await readGateFile(`${house.data}/acme/acme.db`);
    assert.deepEqual(
      { orders, certificates, doubtful, leased },
      { orders: { valid: held.length }, certificates: held.length, doubtful: [], leased: [] },
    );
    assert.deepEqual(witness.offences, []);
    process.stdout.write(
      `${held.length} orders, ${requestsPerRound} finalize requests each: ${certificates} certificates\n`,
    );
  });
});

function assertKey(certificate: string, csr: Uint8Array): void {
  const certified = new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' });
  assert.deepEqual(certified, Buffer.from(readCertificationRequest(csr).subjectPublicKeyInfo));
}
