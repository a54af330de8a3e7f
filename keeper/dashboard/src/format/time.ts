// Times are UTC everywhere.
import { NONE } from "./number";

const THIN = "\u202f";

export function clock(secs: number | null | undefined, seconds = true): string {
  return secs ? iso(secs).slice(11, seconds ? 19 : 16) : NONE;
}

export function date(secs: number | null | undefined): string {
  return secs ? iso(secs).slice(0, 16).replace("T", " ") : NONE;
}

/** Month and day. */
export function day(secs: number): string {
  return iso(secs).slice(5, 10);
}

/** The two largest units. */
export function span(secs: number): string {
  const s = Math.max(0, Math.round(secs));
  if (s < 60) return `${s}${THIN}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}min`;
  if (s < 86_400) return `${Math.floor(s / 3600)}${THIN}h ${pad(Math.floor((s % 3600) / 60))}${THIN}min`;
  return `${Math.floor(s / 86_400)}${THIN}d ${Math.floor((s % 86_400) / 3600)}${THIN}h`;
}

/** The largest unit only. */
export function age(secs: number): string {
  return span(secs).split(" ")[0] ?? "";
}

function iso(secs: number): string {
  return new Date(secs * 1000).toISOString();
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
