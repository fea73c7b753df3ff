/** The most memory that a process has had, as Linux counts it (proc(5), VmHWM): what getrusage says includes its parent's. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Megabytes, of this process unless told. NaN where the system does not tell, or the process is gone. */
export function peakMegabytes(pid: number | 'self' = 'self'): number {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmHWM:\s+(\d+) kB$/m);
    return Number(line?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

const lookEveryMs = 5;

/** Waits for the end of a process that tells nothing of itself, and looks at it until then. Rejects when it fails. */
export async function watchPeak(child: ChildProcess): Promise<number> {
  let peak = Number.NaN;
  const timer = setInterval(() => {
    const now = peakMegabytes(child.pid ?? 0);
    if (!Number.isNaN(now)) peak = now;
  }, lookEveryMs);
  try {
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}`);
    return peak;
  } finally {
    clearInterval(timer);
  }
}
