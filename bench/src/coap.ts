/**
 * EST over CoAP and DTLS: handshakes beside their arithmetic, memory of idle sessions, what 20,000 handshakes leave behind,
 * enrollments per second of the gate, and one enrollment on the wire beside the same over HTTPS.
 */
import { benchDtls } from './coap/dtls.ts';
import { benchEnrollments } from './coap/enrollments.ts';
import { startCoapStack } from './coap/stack.ts';
import { benchWire } from './coap/wire.ts';

/** Runs and prints the benchmark. `durationMs` is for each row of a table. */
export async function benchCoap(durationMs: number): Promise<void> {
  await benchDtls(durationMs);
  const stack = await startCoapStack();
  try {
    await benchWire(stack);
    await benchEnrollments(stack, durationMs);
  } finally {
    await stack.stop();
  }
}
