// How much of the page to believe. Silence decides, measured by this machine's monotonic clock: the keeper's clock may be wrong,
// and a socket that a sleeping machine leaves open reports no error.

/** `blind`: the keeper speaks, but sees no chain. */
export type Life = "starting" | "live" | "late" | "dead" | "blind";

/** In heartbeats. */
export const LATE_AFTER = 2.5;
export const DEAD_AFTER = 6;
export const RECONNECT_AFTER = 10;
/** No new slot for so long, in milliseconds. */
export const BLIND_AFTER_MS = 5_000;

export interface Heard {
  /** Milliseconds since anything was heard; since the page began if nothing ever was. */
  silence_ms: number;
  ever: boolean;
  heartbeat_ms: number;
  /** Age of the newest slot when it was last told. */
  slot_age_ms: number;
}

export function lifeOf(heard: Heard): Life {
  const beats = heard.silence_ms / heard.heartbeat_ms;
  if (beats > DEAD_AFTER) return "dead";
  if (!heard.ever) return "starting";
  if (beats > LATE_AFTER) return "late";
  return heard.slot_age_ms > BLIND_AFTER_MS ? "blind" : "live";
}

/** Nothing shown is true of now. */
export function isOld(life: Life): boolean {
  return life === "dead" || life === "blind";
}
