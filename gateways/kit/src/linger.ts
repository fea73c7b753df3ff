// Closes a connection whose request was refused before all of it was read. Closing at once would make the kernel reset the connection,
// and the reset can overtake the answer: the client would see a broken connection instead of 413. So: half-close, read nothing, wait a moment.

import type { Socket } from 'node:net';

const lingerMs = 1_000;

/** Ends the sending side now and the whole connection when the client has closed, or after a second. */
export function lingerBeforeClose(socket: Socket): void {
  if (socket.destroyed) return;
  // node takes up reading again to throw the rest of the body away; this stops it before anything is read.
  setImmediate(() => socket.pause());
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  // node's HTTP server calls this when the answer is written; it would destroy the socket at once.
  socket.destroySoon = () => {
    socket.end();
  };
}
