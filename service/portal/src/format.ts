// Money, dates and counts in the reader's own locale.

const kDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const kShortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const kMoment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const kCount = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const kCompact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

// RFC 3339, or a date alone, which JavaScript takes as midnight UTC too. A time without its zone is in UTC.
export function parseTime(text: string): Date {
  return new Date(/T.*\d$/.test(text) && !/[+-]\d\d:\d\d$/.test(text) ? `${text}Z` : text);
}

const shown = (format: Intl.DateTimeFormat, text: string | null | undefined): string => {
  const time = text ? parseTime(text) : null;
  return time && !Number.isNaN(time.getTime()) ? format.format(time) : '–';
};

export const day = (text: string | null | undefined): string => shown(kDay, text);
export const shortDay = (text: string): string => shown(kShortDay, text);
export const moment = (text: string | null | undefined): string => shown(kMoment, text);
export const count = (value: number): string => kCount.format(value);
export const compact = (value: number): string => kCompact.format(value);

export function money(amount: number, currency: string): string {
  try {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(amount);
  } catch {
    return `${count(amount)} ${currency}`; // a currency that Intl does not know
  }
}

/** `storage_gb` -> `Storage GB`: names of the API as people read them. */
export function words(name: string): string {
  const kUpper = new Set(['api', 'gb', 'tb', 'mb', 'id', 'cpu', 'http', 'iam', 'sla', 'vpc']);
  const text = name
    .split(/[_\s-]+/)
    .map((word) => (kUpper.has(word.toLowerCase()) ? word.toUpperCase() : word.toLowerCase()))
    .join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
