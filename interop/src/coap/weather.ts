// Enrollment over networks that lose, repeat and overtake. A client may give up and begin again, as devices do: with the same
// request, in another session. Whatever happens on the way, what it reports as done is one certificate, and the keep has
// issued one and no more.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { type CoapCall, type CoapDriver, CoapError, coapPort } from './driver.ts';
import { askForKey, fetchAnchors, generateKey } from './enrollment.ts';
import { countGood, countIssued, enroll, makeDeviceRequest, manufacturersOf } from './est.ts';
import { startLossyProxy, type Weather } from './lossy-proxy.ts';
import type { Device } from './manufacturer.ts';

/** One kind of network, and what is sent over it. */
export type Passage = {
  /** For the matrix: `10 % loss each way`. */
  readonly name: string;
  readonly weather: Weather;
  readonly blockSize: number;
  /** How many devices enrol at the same time. */
  readonly devices: number;
};

/** How often a device begins again. */
const attempts = 12;

/** Operations over these networks. */
export function enrollmentInBadWeather(driver: CoapDriver, passages: readonly Passage[]): readonly Operation[] {
  return passages.map(({ name, weather, blockSize, devices }, index) => ({
    name: `${devices} devices enrol with ${name}, blocks of ${blockSize}: one certificate each`,
    section: 'RFC 9148 §4.6, RFC 7252 §4.2, RFC 6347 §4.2.4',
    run: (session) =>
      over(session, { weather, seed: 1 + index }, async (port) => {
        const enrolled = Array.from({ length: devices }, () => enrollStubbornly(driver, session, { port, blockSize }));
        const counts = await countIssued(session, await Promise.all(enrolled));
        assert.deepEqual(new Set(counts), new Set([1]), 'a device that is done has one certificate');
      }),
  }));
}

/**
 * Keys that the gate makes, over these networks. A transfer that is certainly lost costs its certificate, which is revoked; the
 * one that the device holds is good, and the only good one.
 */
export function keysInBadWeather(driver: CoapDriver, passages: readonly Passage[]): readonly Operation[] {
  return passages.map(({ name, weather, blockSize, devices }, index) => ({
    name: `${devices} devices have keys made with ${name}, blocks of ${blockSize}: one good certificate each`,
    section: 'RFC 9148 §4.8, RFC 7252 §4.2',
    run: (session) =>
      over(session, { weather, seed: 200 + index }, async (port) => {
        const manufacturers = manufacturersOf(session);
        const served = Array.from({ length: devices }, async () => {
          const device = await manufacturers.makeDevice();
          const request = await makeDeviceRequest(session, device);
          await stubbornly(() => askForKey(driver, session, 'skg', { device, port, blockSize }, request));
          return device;
        });
        const counts = await countGood(session, await Promise.all(served));
        assert.deepEqual(new Set(counts), new Set([1]), 'a device that has its key has one good certificate');
      }),
  }));
}

/** Other transfers over a network that repeats and overtakes everything: a key is handed out once. */
export function transfersInBadWeather(driver: CoapDriver, weather: Weather): readonly Operation[] {
  const transfer = (session: Session, run: (call: CoapCall) => Promise<void>) =>
    over(session, { weather, seed: 100 }, (port) => run({ port, blockSize: 256 }));
  return [
    {
      name: 'crts, datagrams repeated and overtaken',
      section: 'RFC 7959 §2.4',
      run: (session) => transfer(session, (call) => fetchAnchors(driver, session, call)),
    },
    {
      name: 'skg, datagrams repeated and overtaken: one certificate',
      section: 'RFC 9148 §4.8',
      run: (session) => transfer(session, (call) => generateKey(driver, session, 'skg', call)),
    },
  ];
}

/** Puts a network between a client and the gate. */
async function over(
  session: Session,
  { weather, seed }: { readonly weather: Weather; readonly seed: number },
  pass: (port: number) => Promise<void>,
): Promise<void> {
  const target = { host: '127.0.0.1', port: coapPort(session) };
  const proxy = await startLossyProxy({ ...target, seed, up: weather, down: weather });
  try {
    await pass(proxy.port);
  } finally {
    await proxy.stop();
  }
}

async function enrollStubbornly(driver: CoapDriver, session: Session, call: CoapCall): Promise<Device> {
  const device = await manufacturersOf(session).makeDevice();
  const request = await makeDeviceRequest(session, device);
  await stubbornly(() => enroll(driver, session, { device, ...call }, request));
  return device;
}

async function stubbornly(act: () => Promise<unknown>): Promise<void> {
  const failures: string[] = [];
  while (failures.length < attempts) {
    try {
      await act();
      return;
    } catch (error) {
      if (!(error instanceof CoapError)) throw error;
      failures.push(error.message);
    }
  }
  throw new CoapError(`a device gave up after ${attempts} attempts: ${failures.join(' | ')}`);
}
