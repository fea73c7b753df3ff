/**
 * What the CoAP gate is told beside gatehouse.yaml, and the device for trying it out. A directory that was made before there
 * was this gate goes on as a new one begins, as far as its operator left what a new one begins with: labels that are gone
 * stay gone, and trust anchors of the operator's own are never replaced.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { DataDirectory } from '../data-directory.ts';
import { demoDeviceFiles, demoTrustAnchor, hasDemoDevice, hasDemoManufacturer, makeDemoDevice } from './demo-device.ts';
import { isForTryingOut } from './demo-user.ts';
import type { CoapEndpoint } from './endpoints.ts';
import { isMentioned, mentionedValue, trialSettings } from './mentioned.ts';

/** What {@link settleCoap} takes. */
export type CoapOptions = {
  readonly data: DataDirectory;
  /** Whether `up` starts the CoAP gate, or the EST gate, which has the same policy. */
  readonly isStarted: boolean;
  /** `--set` arguments of the operator. */
  readonly set: readonly string[];
};

/** What was settled. */
export type CoapSettings = {
  /** `--set` arguments of the gate; the operator's own come after them. */
  readonly gate: readonly string[];
  /** The same of the EST gate: the policy of both is one (docs/decisions/0011). */
  readonly est: readonly string[];
  /** The same of the keep: the manufacturers whose devices the gates let in. Call it when {@link prepare} is done. */
  core(): Promise<readonly string[]>;
  /** Makes the device for trying out where it is missing. @param progress told when it is */
  prepare(progress: (step: string) => void): Promise<void>;
};

/** Where the credential of the gate is kept, for a gatehouse.yaml that says nothing of the gate. */
const credential = 'coap.core.credential=ra/coap/credential.pem';

/** Settles it. */
export function settleCoap({ data, isStarted, set }: CoapOptions): CoapSettings {
  const policy = isStarted || hasDemoManufacturer(data) ? policyOfEarlier(data) : [];
  const gate = [...(isEarlier(data) ? [...sectionOfEarlier(data), credential] : []), ...policy];
  return {
    gate,
    est: policy,
    core: async () => (isStarted ? await evidenceAnchors(data, gate, policy, set) : []),
    prepare: async (progress) => {
      if (!isStarted || hasDemoManufacturer(data) || !(await trustsDemoDevice(data, [...gate, ...set]))) return;
      progress('making the device for trying out');
      await makeDemoDevice(data);
    },
  };
}

/**
 * What has the keep verify again what the gates say of devices (ARCHITECTURE §1 rule 2), unless its operator told it by which
 * anchors.
 */
async function evidenceAnchors(
  data: DataDirectory,
  coap: readonly string[],
  est: readonly string[],
  set: readonly string[],
): Promise<readonly string[]> {
  const [{ loadConfiguration }, { coreConfigurationSchema }, { estSchema }, { loadSharedEstPolicy }] =
    await Promise.all([
      import('@gatehouse/runtime/configuration'),
      import('@gatehouse/ca-core/configuration'),
      import('@gatehouse/gateway-est/config'),
      import('@gatehouse/gateway-kit/est/shared-policy'),
    ]);
  const file = data.configuration;
  const core = loadConfiguration({ schema: coreConfigurationSchema, section: 'core', file, set });
  if (core.evidence.anchors.length > 0) return [];
  const ofCoap = loadSharedEstPolicy({ section: 'coap', file, set: [...coap, ...set] });
  const ofEst = isMentioned(data, 'est')
    ? loadConfiguration({ schema: estSchema, section: 'est', file, set: [...est, ...set] }).trustAnchors
    : [];
  const anchors = new Map<string, { file: string; acceptsExpired: boolean }>();
  for (const { file: anchorFile, acceptsExpired } of [...ofCoap.trustAnchors, ...ofEst]) {
    const known = anchors.get(anchorFile)?.acceptsExpired ?? false;
    anchors.set(anchorFile, { file: anchorFile, acceptsExpired: known || acceptsExpired });
  }
  return anchors.size === 0 ? [] : [`core.evidence.anchors=${JSON.stringify([...anchors.values()])}`];
}

/** Its part of endpoints.json. @param set `--set` arguments that it was started with */
export async function coapEndpoint(data: DataDirectory, url: string, set: readonly string[]): Promise<CoapEndpoint> {
  if (!hasDemoDevice(data) || !(await trustsDemoDevice(data, set))) return { url };
  const { deviceCertificate, deviceKey, manufacturer } = demoDeviceFiles;
  return { url, deviceCertificate, deviceKey, manufacturer };
}

/** The section as the gate reads it. */
export async function readCoap(data: DataDirectory, set: readonly string[]) {
  const [{ loadConfiguration }, { coapSchema }] = await Promise.all([
    import('@gatehouse/runtime/configuration'),
    import('@gatehouse/gateway-coap/config'),
  ]);
  return loadConfiguration({ schema: coapSchema, section: 'coap', file: data.configuration, set });
}

/** Whether the directory was made before there was this gate. */
function isEarlier(data: DataDirectory): boolean {
  return existsSync(data.configuration) && !isMentioned(data, 'coap');
}

function sectionOfEarlier(data: DataDirectory): readonly string[] {
  if (!isForTryingOut(data)) return [];
  const labels = labelsOf(data);
  const known = (setting: string): boolean =>
    !setting.startsWith('coap.defaultLabel=') || labels.some((label) => setting.endsWith(JSON.stringify(label)));
  return trialSettings('coap').filter(known);
}

function policyOfEarlier(data: DataDirectory): readonly string[] {
  if (!isEarlier(data) || !isForTryingOut(data) || isMentioned(data, 'est', 'trustAnchors')) return [];
  const known = labelsOf(data);
  const labels = demoTrustAnchor.labels.filter((label) => known.includes(label));
  return labels.length === 0 ? [] : [`est.trustAnchors=${JSON.stringify([{ ...demoTrustAnchor, labels }])}`];
}

const labelsSchema = z.record(z.string(), z.unknown());

function labelsOf(data: DataDirectory): readonly string[] {
  return Object.keys(labelsSchema.safeParse(mentionedValue(data, 'est', 'labels')).data ?? {});
}

/** Whether the gate trusts the manufacturer of the device: an operator may have taken it out. */
async function trustsDemoDevice(data: DataDirectory, set: readonly string[]): Promise<boolean> {
  if (!isForTryingOut(data)) return false;
  const { loadSharedEstPolicy } = await import('@gatehouse/gateway-kit/est/shared-policy');
  const { trustAnchors } = loadSharedEstPolicy({ file: data.configuration, set, section: 'coap' });
  return trustAnchors.some(({ file }) => resolve(data.path, file) === resolve(data.path, demoTrustAnchor.file));
}
