// Clients that bring many orders to their ends side by side, each order for names and a key of its own.

import { generateKeyPairSync } from 'node:crypto';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { type OrderEnd, PatientClient } from '../acme/patient-client.ts';
import type { House } from './house.ts';
import type { OrderWitness } from './order-witness.ts';

/** Clients with an account each. */
export type Crew = {
  readonly clients: readonly PatientClient[];
  /** The client whose turn it is for the order `index`. */
  clientOf(index: number): PatientClient;
  /** Brings `count` orders to their ends, `inFlight` at a time. @param namesOf names of an order */
  issue(count: number, inFlight: number, namesOf: (index: number) => readonly string[]): Promise<readonly OrderEnd[]>;
  close(): void;
};

/**
 * Opens the accounts.
 *
 * @param witness is told every answer
 * @param copies directories of further copies of the gate, which are asked as often as the first
 */
export async function hireCrew(
  house: House,
  size: number,
  witness: OrderWitness,
  copies: readonly string[] = [],
): Promise<Crew> {
  const clients = Array.from(
    { length: size },
    () =>
      new PatientClient({
        directories: [house.acme, ...copies],
        trustAnchor: house.trustAnchor,
        answer: (token, content) => house.challenges.tell('add-http01', { token, content }),
        observe: (url, answer) => witness.see(url, answer),
      }),
  );
  await Promise.all(clients.map((client) => client.open()));
  const clientOf = (index: number): PatientClient => {
    const client = clients[index % clients.length];
    if (client === undefined) throw new RangeError('a crew has at least one client');
    return client;
  };
  return {
    clients,
    clientOf,
    issue: async (count, inFlight, namesOf) => {
      const ends: OrderEnd[] = [];
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < count) {
          const index = next++;
          const names = namesOf(index);
          ends.push(await clientOf(index).issue(names, newRequest(names)));
        }
      };
      await Promise.all(Array.from({ length: inFlight }, work)).finally(() => {
        next = count;
      });
      return ends;
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

/** A PKCS#10 request with a key of its own for these names, DER. */
export function newRequest(names: readonly string[]): Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createCertificationRequest({
    subject: [],
    names: names.map((value) => ({ kind: 'dns', value })),
    key: privateKey,
  });
}
