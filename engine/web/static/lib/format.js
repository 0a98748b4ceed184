// Numbers, money, dates and ages as people read them. Amounts of money are decimal strings and stay so: a float would
// round them, so only their digits are grouped here.

const whole = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const minute = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** Nothing to show. */
export const NONE = "–";

/** A quantity in base units. Numbers beyond 2^53 reach a page rounded, and it says so. */
export function quantity(value) {
  if (value === null || value === undefined || value === "") return NONE;
  return (Math.abs(value) > Number.MAX_SAFE_INTEGER ? "about " : "") + whole.format(value);
}

/** A quantity with its sign, as of a difference. */
export const signed = (value) => (value > 0 ? `+${quantity(value)}` : quantity(value));

/** A number of days or periods, with at most one digit after the point. */
export function figure(value) {
  if (value === null || value === undefined) return NONE;
  const number = Number(value);
  return Number.isFinite(number) ? whole.format(Math.round(number * 10) / 10) : String(value);
}

/** An amount of money, a decimal string, with its currency; rounded half up to two digits by its digits. */
export function money(amount, currency) {
  if (amount === null || amount === undefined || amount === "") return NONE;
  const parts = /^(-?)(\d+)(?:\.(\d*))?$/.exec(String(amount));
  const text = parts ? grouped(parts) : String(amount);
  return currency ? `${text} ${currency}` : text;
}

function grouped([, sign, units, fraction = ""]) {
  const cents = BigInt(units) * 100n + BigInt(fraction.padEnd(2, "0").slice(0, 2)) + (fraction[2] >= "5" ? 1n : 0n);
  return `${sign}${whole.format(cents / 100n)}.${String(cents % 100n).padStart(2, "0")}`;
}

/** An amount of money without its cents, rounded half up, for sums in a narrow place. */
export function roundMoney(amount, currency) {
  const [, sign, units, tenths] = /^(-?)(\d+)(?:\.(\d))?/.exec(String(amount)) ?? [];
  if (units === undefined) return money(amount, currency);
  return `${sign}${whole.format(BigInt(units) + (tenths >= "5" ? 1n : 0n))}${currency ? ` ${currency}` : ""}`;
}

/** A local day such as 2026-03-02. */
export const date = (text) => (text ? day.format(new Date(`${text.slice(0, 10)}T00:00:00Z`)) : NONE);

/** A local day without its year. */
export const briefDate = (text) => (text ? shortDay.format(new Date(`${text.slice(0, 10)}T00:00:00Z`)) : NONE);

/** A moment, in the time of this browser. */
export const moment = (text) => (text ? minute.format(new Date(text)) : NONE);

/** How long ago, or how far ahead, a moment is from `now`, another moment (its text) or the browser's clock. */
export function age(text, now = null) {
  if (!text) return NONE;
  const seconds = ((now ? Date.parse(now) : Date.now()) - Date.parse(text)) / 1000;
  const size = span(Math.abs(seconds));
  return seconds < 0 ? `in ${size}` : `${size} ago`;
}

/** A length of time in its largest unit. */
export function span(seconds) {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${whole.format(Math.floor(seconds / size))} ${unit}`;
  }
  return `${Math.round(seconds)} s`;
}

/** A name of the contract, such as `late_supply`, as words. */
export const words = (name) => (name ?? "").replaceAll("_", " ");

/** Words with a capital letter. */
export const title = (name) => words(name).replace(/^./, (first) => first.toUpperCase());

/** "1 item", "2 items". */
export const count = (number, one, many = `${one}s`) => `${quantity(number)} ${number === 1 ? one : many}`;
