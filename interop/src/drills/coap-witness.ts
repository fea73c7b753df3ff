// Looks at every answer of CoAP that devices get: the gate never admits a fault of its own, and what it cannot do now it says
// with the time after which to come again (RFC 9148 §4.7, RFC 7252 §5.9.3.4).

/** What it must know of an answer. */
export type WitnessedAnswer = {
  readonly code: string;
  readonly maxAge: number | undefined;
  readonly payload: Uint8Array;
};

/** What was seen. */
export type CoapWitness = {
  /** To be told every answer. */
  see(what: string, answer: WitnessedAnswer): void;
  /** Answers that must not be. */
  readonly offences: readonly string[];
  /** How many answers had each code. */
  readonly codes: ReadonlyMap<string, number>;
};

/** 5.03 and 4.29 say when to come again. */
const temporary: ReadonlySet<string> = new Set(['5.03', '4.29']);
/** RFC 7959 §2.9.2: blocks of which the beginning was lost, such as with a gate that was killed. */
const incomplete = '4.08';

/** Whether the same request may have another answer later. */
export function mayComeAgain({ code }: Pick<WitnessedAnswer, 'code'>): boolean {
  return temporary.has(code) || code === incomplete;
}

/** Makes one. */
export function createCoapWitness(): CoapWitness {
  const offences: string[] = [];
  const codes = new Map<string, number>();
  return {
    offences,
    codes,
    see: (what, { code, maxAge, payload }) => {
      codes.set(code, (codes.get(code) ?? 0) + 1);
      const isProper = temporary.has(code) ? maxAge !== undefined && maxAge > 0 : mayComeAgain({ code });
      if (!code.startsWith('2.') && !isProper) {
        offences.push(`${what}: ${code}, Max-Age ${maxAge}, ${Buffer.from(payload).toString()}`);
      }
    },
  };
}
