/** Keeps a fixed number of operations in flight and times each. */

/** What a load test measured. */
export type LoadResult = {
  readonly concurrency: number;
  readonly operations: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
};

/** Runs `operation` at `concurrency` for `durationMs` after a warm-up that is not counted. Throws what an operation throws. */
export async function runLoad(
  concurrency: number,
  durationMs: number,
  operation: (index: number) => Promise<void>,
): Promise<LoadResult> {
  let index = 0;
  const phase = async (lengthMs: number): Promise<{ readonly times: number[]; readonly elapsedMs: number }> => {
    const times: number[] = [];
    const startedAt = performance.now();
    const worker = async (): Promise<void> => {
      for (let now = performance.now(); now - startedAt < lengthMs; now = performance.now()) {
        await operation(index++);
        times.push(performance.now() - now);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return { times, elapsedMs: performance.now() - startedAt };
  };
  await phase(durationMs / 4);
  const { times, elapsedMs } = await phase(durationMs);
  times.sort((a, b) => a - b);
  return {
    concurrency,
    operations: times.length,
    perSecond: (times.length * 1000) / elapsedMs,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

function quantile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}
