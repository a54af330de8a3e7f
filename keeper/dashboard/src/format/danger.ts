// How near liquidation is, in a class and in words. A sigma-day is a day's usual move.
import type { Nearest } from "../contract";
import { bps, bpsBare, num } from "./number";

export type Severity = "" | "warn" | "critical";

export function severity(nearest: Nearest | null): Severity {
  if (!nearest) return "";
  return nearest.sigma_days < 1 || reached(nearest) ? "critical" : nearest.sigma_days < 2 ? "warn" : "";
}

const THIN = "\u202f";

/** At or beyond the boundary: anybody may liquidate now. */
export function reached(nearest: Nearest): boolean {
  return nearest.side === "upper" ? nearest.distance_bps <= 0 : nearest.distance_bps >= 0;
}

/** "↑ 2.4 %": the price would have to rise so far. */
export function distance(nearest: Nearest, places = 1): string {
  if (reached(nearest)) return "reached";
  return `${arrow(nearest)}${THIN}${bps(Math.abs(nearest.distance_bps), places)}`;
}

/** The same for a column whose head says percent. */
export function distanceBare(nearest: Nearest): string {
  if (reached(nearest)) return "reached";
  return `${arrow(nearest)}${THIN}${bpsBare(Math.abs(nearest.distance_bps))}`;
}

export function sigmaDays(nearest: Nearest): string {
  return `${num(nearest.sigma_days, 1)} σ-days`;
}

function arrow(nearest: Nearest): string {
  return nearest.side === "upper" ? "↑" : "↓";
}
