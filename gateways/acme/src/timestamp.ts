// Times on the wire (RFC 3339): UTC to the second, so that what a client sends back is what it was shown.

const form =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The text of a time. */
export function formatTimestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** The time of a text that has a zone; undefined for what is no time of RFC 3339. */
export function parseTimestamp(text: unknown): Date | undefined {
  if (typeof text !== 'string' || !form.test(text)) return undefined;
  const time = new Date(text.toUpperCase());
  if (Number.isNaN(time.getTime())) return undefined;
  // The 31st of a short month would become another day without a word.
  const day = Number(text.slice(8, 10));
  const isRealDay = day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return isRealDay ? time : undefined;
}
