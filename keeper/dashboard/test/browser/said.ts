// Whether a shown text says what the API says: words exactly, numbers as far as they are shown.

/** A number or an amount as the API sends it, `null` for none, or several texts of which one has to stand there. */
export type Value = number | string | null | { from: number; to: number } | { of: readonly string[] };

/** A text with values in it. */
export interface Said {
  words: readonly string[];
  values: readonly Value[];
}

/** `say\`equity ${p.equity} USDC\``: numbers are compared as numbers, other values word for word. */
export function say(words: TemplateStringsArray, ...values: Value[]): Said {
  return { words, values };
}

/** Several texts as one. */
export function joined(parts: readonly Said[]): Said {
  const words: string[] = [""];
  for (const part of parts) {
    words[words.length - 1] += part.words[0] ?? "";
    words.push(...part.words.slice(1));
  }
  return { words, values: parts.flatMap((part) => part.values) };
}

const NUMBER = String.raw`(≈0|[+-]?[\d.]+[kMB]?|∞|–)`;
const SIZES: Record<string, number> = { k: 1e3, M: 1e6, B: 1e9 };

/** What differs; `null` if nothing does. */
export function difference(shown: string | undefined, said: Said): string | null {
  if (shown === undefined) return "nothing is shown";
  const text = plainly(shown);
  const pattern = said.words.map((word, i) => escape(plainly(word, false)) + (i < said.values.length ? slot(said.values[i] as Value) : "")).join("").trim();
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (!found) return `“${text}” is not /${pattern}/`;
  let group = 1;
  for (const value of said.values) {
    if (!numeric(value)) continue;
    const shownNumber = found[group++] ?? "";
    if (!agrees(shownNumber, value)) return `“${text}”: ${shownNumber} is not ${JSON.stringify(value)}`;
  }
  return null;
}

function numeric(value: Value): value is number | string | null | { from: number; to: number } {
  return value === null || typeof value === "number" || (typeof value === "string" ? /^-?\d+(\.\d+)?$/.test(value) : "from" in value);
}

function slot(value: Value): string {
  if (numeric(value)) return NUMBER;
  const texts = typeof value === "string" ? [value] : (value as { of: readonly string[] }).of;
  const escaped = texts.map((text) => escape(plainly(text, false)));
  return escaped.length === 1 ? (escaped[0] ?? "") : `(?:${escaped.join("|")})`;
}

/** One space, a plain minus, no grouping. */
function plainly(text: string, trimmed = true): string {
  const plain = text.replace(/\s+/g, " ").replace(/−/g, "-").replace(/(\d),(?=\d{3})/g, "$1");
  return trimmed ? plain.trim() : plain;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Within half of the last place that is shown. */
function agrees(shown: string, value: number | string | null | { from: number; to: number }): boolean {
  if (value === null) return shown === "–" || shown === "∞";
  if (shown === "–" || shown === "∞") return false;
  const [from, to] = typeof value === "object" ? [value.from, value.to] : [Number(value), Number(value)];
  if (shown === "≈0") return from !== 0 && Math.abs(from) < 5e-5;
  const size = SIZES[shown.slice(-1)] ?? 1;
  const digits = size === 1 ? shown : shown.slice(0, -1);
  const places = digits.includes(".") ? digits.length - digits.indexOf(".") - 1 : 0;
  const slack = 0.5 * 10 ** -places * size * 1.000001 + 1e-9 * Math.abs(to);
  const number = Number(digits) * size;
  return number >= from - slack && number <= to + slack;
}
