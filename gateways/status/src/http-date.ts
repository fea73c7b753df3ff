// Dates in HTTP, RFC 9110 §5.6.7. Written in the one form that is allowed, read in all three; what is none of them is no
// date, so that the field it stands in is passed over (§13.1.3).

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const day = `(?:${days.join('|')})`;
const month = `(${months.join('|')})`;
const time = '(\\d\\d):(\\d\\d):(\\d\\d)';
const longDay = '(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day';

const fixedForm = new RegExp(`^${day}, (\\d\\d) ${month} (\\d{4}) ${time} GMT$`);
const rfc850Form = new RegExp(`^${longDay}, (\\d\\d)-${month}-(\\d\\d) ${time} GMT$`);
const asctimeForm = new RegExp(`^${day} ${month} ([ \\d]\\d) ${time} (\\d{4})$`);

/** Many answers share their dates, and writing one costs more than finding it. */
const written = new Map<number, string>();
const mostWritten = 4096;

/** IMF-fixdate. @param time epoch milliseconds; fractions of a second are cut */
export function formatHttpDate(time: number): string {
  const seconds = Math.floor(time / 1000);
  const known = written.get(seconds);
  if (known !== undefined) return known;
  if (written.size >= mostWritten) written.clear();
  const text = new Date(seconds * 1000).toUTCString();
  written.set(seconds, text);
  return text;
}

/**
 * Reads a date.
 *
 * @param now epoch milliseconds; two digits of a year mean the last such year that is not over 50 years ahead of it
 * @returns epoch milliseconds, or undefined for what is no date
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  const fixed = fixedForm.exec(text);
  if (fixed !== null) return toTime(fixed[3], fixed[2], fixed[1], fixed.slice(4));
  const rfc850 = rfc850Form.exec(text);
  if (rfc850 !== null) return toTime(fullYear(Number(rfc850[3]), now), rfc850[2], rfc850[1], rfc850.slice(4));
  const asctime = asctimeForm.exec(text);
  if (asctime !== null) return toTime(asctime[6], asctime[1], asctime[2]?.trim(), asctime.slice(3, 6));
  return undefined;
}

// RFC 9110 §5.6.7: a date that seems to be more than 50 years in the future is one of the past.
function fullYear(twoDigits: number, now: number): string {
  const thisYear = new Date(now).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + twoDigits;
  return String(year > thisYear + 50 ? year - 100 : year);
}

function toTime(
  year: string | undefined,
  monthName: string | undefined,
  dayOfMonth: string | undefined,
  [hour, minute, second]: readonly string[],
): number | undefined {
  const monthIndex = months.indexOf(monthName ?? '');
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, Number(dayOfMonth));
  // A leap second is the last one of its minute here.
  date.setUTCHours(Number(hour), Number(minute), Math.min(Number(second), 59));
  const isReal =
    date.getUTCMonth() === monthIndex &&
    date.getUTCDate() === Number(dayOfMonth) &&
    date.getUTCHours() === Number(hour) &&
    date.getUTCMinutes() === Number(minute) &&
    Number(second) <= 60;
  return isReal ? date.getTime() : undefined;
}
