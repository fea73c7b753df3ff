// A process whose clock is wrong. Only JavaScript's: what OpenSSL judges by, it takes from the machine.

import type { CommandOptions } from './command.ts';

/** For a process whose clock is so many milliseconds ahead of the machine's; a negative number puts it behind. */
export function clockAt(milliseconds: number): CommandOptions {
  const program = `const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...values) { values.length === 0 ? super(RealDate.now() + ${milliseconds}) : super(...values); }
      static now() { return RealDate.now() + ${milliseconds}; }
    };`;
  return { environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}` } };
}
