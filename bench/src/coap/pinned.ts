/** Holds a process on one core, so that what it does in a second is what one core does; Linux alone can. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';

/** Pins all threads of a process to the last core. False where that is not possible. */
export function pinToOneCore(pid: number): boolean {
  try {
    execFileSync('taskset', ['-acp', String(availableParallelism() - 1), String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What else the machine was doing, for the line below a table. */
export function describeMachine(isPinned: boolean): string {
  const [lastMinute = Number.NaN] = loadavg();
  const pinned = isPinned ? 'the server is pinned to one core' : 'the server could not be pinned to one core';
  return `${pinned}; the clients run in this process; load average of the machine ${lastMinute.toFixed(1)}`;
}
