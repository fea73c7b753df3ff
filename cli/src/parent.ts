/** A process that was started with a channel ends with whoever holds the other end: nothing is left behind by a kill. */

/** Ends this process, as SIGTERM does, when the channel to its parent closes; without a channel it does nothing. */
export function endWithParent(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The channel alone must not keep alive what has nothing left to do.
  process.channel.unref();
}
