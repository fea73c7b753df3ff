/** The status gate of a running stack. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 250;

/** Waits until the gate holds responses for so many certificates in its memory; answers where it is. */
export async function untilLoaded(
  directory: string,
  certificates: number,
): Promise<{ readonly origin: string; readonly pid: number }> {
  const { status } = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const { pid, management } = JSON.parse(readFileSync(join(directory, 'run/status.json'), 'utf8'));
  for (;;) {
    const metrics = await (await fetch(`http://${management}/metrics`)).text();
    const held = Number(/^gatehouse_status_responses\{where="memory"\} (.*)$/m.exec(metrics)?.[1]);
    if (held >= certificates) return { origin: new URL(status.ocsp).origin, pid };
    await pause(lookEveryMs);
  }
}
