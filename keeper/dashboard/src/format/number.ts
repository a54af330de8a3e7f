// Numbers for people: a true minus, grouped thousands, places by size, never an exponent, never "-0".
// Units stand in the heads of tables and beside figures; only percent and times are part of the number.

/** There is none. */
export const NONE = "–";
const THIN = "\u202f"; // narrow no-break space

/** An amount as the API sends it, or a number. */
export type Num = string | number | null | undefined;

const formats = new Map<number, Intl.NumberFormat>();
function format(places: number): Intl.NumberFormat {
  let found = formats.get(places);
  if (!found) {
    found = new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
    formats.set(places, found);
  }
  return found;
}

/** NaN where there is no number. */
export function toNumber(value: Num): number {
  return value === null || value === undefined || value === "" ? NaN : Number(value);
}

export function num(value: Num, places = 0, signed = false): string {
  const number = toNumber(value);
  if (!Number.isFinite(number)) return NONE;
  const text = format(places).format(Math.abs(number));
  const sign = !/[1-9]/.test(text) ? "" : number < 0 ? "−" : signed ? "+" : "";
  return sign + text;
}

/** Tokens: as many places as the size deserves. Of less than a millionth it is only said that it is not nothing. */
export function tokens(value: Num, signed = false): string {
  const size = Math.abs(toNumber(value));
  if (size === 0) return "0";
  if (size < 5e-7) return "≈0";
  return num(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.001 ? 4 : 6, signed);
}

/** Tokens in a narrow cell: from a hundred thousand on, thousands and millions; four places at most. */
export function tokensShort(value: Num, signed = false): string {
  const size = Math.abs(toNumber(value));
  if (size > 0 && size < 5e-5) return "≈0";
  if (size < 1e-3) return size === 0 ? "0" : num(value, 4, signed);
  return size >= 1e5 ? compact(value, signed) : tokens(value, signed);
}

/** Value in quote tokens. */
export function money(value: Num, signed = false): string {
  const size = Math.abs(toNumber(value));
  return size === 0 ? "0" : num(value, size >= 100 ? 0 : 2, signed);
}

/** Value in a narrow cell. */
export function moneyShort(value: Num): string {
  return Math.abs(toNumber(value)) >= 1e7 ? compact(value) : money(value);
}

/** Thousands and millions, for axes and narrow cells. */
export function compact(value: Num, signed = false): string {
  const number = toNumber(value);
  const size = Math.abs(number);
  if (size >= 1e10) return num(number / 1e9, 0, signed) + "B";
  if (size >= 1e6) return num(number / 1e6, size >= 1e7 ? 0 : 1, signed) + "M";
  if (size >= 1e4) return num(number / 1e3, 0, signed) + "k";
  if (size >= 1e3) return num(number / 1e3, 1, signed) + "k";
  return num(number, size >= 100 || Number.isInteger(number) ? 0 : size >= 1 ? 1 : 2, signed);
}

/** Round values along an axis, each told from the next: as many places as their distance has, thousands and millions where that is shorter. */
export function axis(at: readonly number[], unit = ""): string[] {
  const most = Math.max(0, ...at.map(Math.abs));
  const step = Math.abs((at[1] ?? 0) - (at[0] ?? 0)) || most || 1;
  const [size, letter] = most >= 1e7 && places(step / 1e6) <= 2 ? [1e6, "M"] : most >= 1e4 && places(step / 1e3) <= 2 ? [1e3, "k"] : [1, ""];
  return at.map((value) => (value === 0 ? "0" : num(value / size, places(step / size)) + letter) + unit);
}

/** How many a round number has. */
function places(value: number): number {
  let found = 0;
  while (found < 12 && Math.abs(value * 10 ** found - Math.round(value * 10 ** found)) > 1e-6) found += 1;
  return found;
}

/** At least five significant digits. */
export function price(value: Num): string {
  const size = Math.abs(toNumber(value));
  if (size >= 10 || size === 0) return num(value, 2);
  return num(value, Math.min(12, 4 - Math.floor(Math.log10(size))));
}

export function percent(ratio: number | null | undefined, places = 1, signed = false): string {
  const text = num(typeof ratio === "number" ? ratio * 100 : null, places, signed);
  return text === NONE ? text : `${text}${THIN}%`;
}

export function bps(value: number | null | undefined, places = 2, signed = false): string {
  return percent(typeof value === "number" ? value / 1e4 : null, places, signed);
}

/** Basis points as a bare number of percent, for columns whose head says "%". */
export function bpsBare(value: number | null | undefined, places = 1, signed = false): string {
  return num(typeof value === "number" ? value / 100 : null, places, signed);
}

/** A price that grows slowly from wherever it began: seven significant digits. */
export function slowly(value: Num): string {
  const size = Math.abs(toNumber(value));
  return num(value, size > 0 ? Math.min(12, Math.max(0, 6 - Math.floor(Math.log10(size)))) : 0);
}

/** A value that the API has put into words, with a true minus, no places that are zero, and no more of them than the size deserves. */
export function said(text: string): string {
  return minus(text.replace(/\d+\.\d{5,}/g, (amount) => tokens(amount)).replace(/(\d)\.0+(?!\d)/g, "$1"));
}

/** A text with a true minus before its numbers. */
export function minus(text: string): string {
  return text.replace(/(^|[\s±(])-(?=\d)/g, "$1−");
}

/** Leverage: `null` is without bound. */
export function times(bps: number | null): string {
  return bps === null ? "∞" : `${num(bps / 1e4, 2)}×`;
}

/** How far `to` is from `from`. */
export function move(to: number | null, from: number, places = 1): string {
  return to === null ? NONE : percent(to / from - 1, places, true);
}

export function short(address: string): string {
  return address.length <= 11 ? address : `${address.slice(0, 4)}…${address.slice(-4)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${num(count)} ${count === 1 ? one : many}`;
}
