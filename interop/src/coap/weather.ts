// Enrollment over networks that lose, repeat and overtake. A client may give up and begin again, as devices do: with the same
// request, in another session. Whatever happens on the way, what it reports as done is one certificate, and the keep has
// issued one and no more.

import assert from 'node:assert/strict';
import type { Operation } from '../client.ts';
import type { Session } from '../session.ts';
import { type CoapCall, type CoapDriver, CoapError, coapPort } from './driver.ts';
import { fetchAnchors, generateKey } from './enrollment.ts';
import { countIssued, enroll, makeDeviceRequest, manufacturersOf } from './est.ts';
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
    run: async (session) => {
      const proxy = await startLossyProxy({
        host: '127.0.0.1',
        port: coapPort(session),
        seed: 1 + index,
        up: weather,
        down: weather,
      });
      try {
        const call = { port: proxy.port, blockSize };
        const enrolled = Array.from({ length: devices }, () => enrollStubbornly(driver, session, call));
        const counts = await countIssued(session, await Promise.all(enrolled));
        assert.deepEqual(new Set(counts), new Set([1]), 'a device that is done has one certificate');
      } finally {
        await proxy.stop();
      }
    },
  }));
}

/** Other transfers over a network that repeats and overtakes everything: a key is handed out once. */
export function transfersInBadWeather(driver: CoapDriver, weather: Weather): readonly Operation[] {
  const over = async (session: Session, transfer: (call: CoapCall) => Promise<void>) => {
    const port = coapPort(session);
    const proxy = await startLossyProxy({ host: '127.0.0.1', port, seed: 100, up: weather, down: weather });
    try {
      await transfer({ port: proxy.port, blockSize: 256 });
    } finally {
      await proxy.stop();
    }
  };
  return [
    {
      name: 'crts, datagrams repeated and overtaken',
      section: 'RFC 7959 §2.4',
      run: (session) => over(session, (call) => fetchAnchors(driver, session, call)),
    },
    {
      name: 'skg, datagrams repeated and overtaken: one certificate',
      section: 'RFC 9148 §4.8',
      run: (session) => over(session, (call) => generateKey(driver, session, 'skg', call)),
    },
  ];
}

async function enrollStubbornly(driver: CoapDriver, session: Session, call: CoapCall): Promise<Device> {
  const device = await manufacturersOf(session).makeDevice();
  const request = await makeDeviceRequest(session, device);
  const failures: string[] = [];
  while (failures.length < attempts) {
    try {
      await enroll(driver, session, { device, ...call }, request);
      return device;
    } catch (error) {
      if (!(error instanceof CoapError)) throw error;
      failures.push(error.message);
    }
  }
  throw new CoapError(`a device gave up after ${attempts} attempts: ${failures.join(' | ')}`);
}
