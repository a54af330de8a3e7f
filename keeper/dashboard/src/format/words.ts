// The same word for the same thing everywhere.
import type { Health, Outcome, Threshold, Verdict, Wish } from "../contract";

export const THRESHOLDS: Record<Threshold, string> = {
  hedge_band: "rehedge",
  policy_trigger: "deleverage",
  market_trigger: "deleverage by anybody",
  maintenance: "liquidation",
  band: "recenter",
  window: "exit (price window)",
  floor: "exit (equity floor)",
};

/** For labels in pictures. */
export const THRESHOLD_LABELS: Record<Threshold, string> = {
  hedge_band: "rehedge",
  policy_trigger: "deleverage",
  market_trigger: "by anybody",
  maintenance: "liquidation",
  band: "recenter",
  window: "exit",
  floor: "floor",
};

const MODES: Record<string, string> = {
  active: "Active",
  observe: "Observe",
  paper: "Paper",
  reducing: "Reducing",
  halted: "Halted",
};
export function modeWord(mode: string | undefined): string {
  return mode === undefined ? "–" : (MODES[mode] ?? capital(mode));
}

const STAGES = ["normal", "no new risk", "reduce only", "anybody may shrink"];
export function stageWord(stage: number): string {
  return STAGES[stage] ?? "unknown";
}

export const VERDICTS: Record<Verdict, { sign: string; word: string }> = {
  act: { sign: "●", word: "due now" },
  blocked: { sign: "▲", word: "due, but blocked" },
  paused: { sign: "‖", word: "paused" },
  nothing: { sign: "", word: "" },
};

export const OUTCOMES: Record<Outcome, string> = {
  pending: "…",
  landed: "✓",
  failed: "✕",
  raced: "⇄",
  expired: "◌",
  dropped: "◌",
  paper: "✎",
};

export const HEALTH: Record<Health, string> = {
  healthy: "",
  above_trigger: "over trigger",
  liquidated: "liquidated",
};

export const WISHES: Record<Wish, string> = { halt: "Halt", reduce: "Reduce", pause: "Pause", resume: "Resume" };

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The API's name of an action in words. */
export function actionWord(action: string): string {
  return action.replaceAll("_", " ");
}

/** A reason or an obstacle as a whole sentence. */
export function sentence(text: string): string {
  const whole = capital(text.trim());
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
