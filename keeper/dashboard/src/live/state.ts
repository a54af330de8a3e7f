// What the stream said last, and who wants to know.
import { useEffect, useState } from "preact/hooks";
import type { Action, Hello, Override, Tick } from "../contract";
import { lifeOf, type Life } from "./life";

export type Message =
  | { event: "hello"; data: Hello }
  | { event: "tick"; data: Tick }
  | { event: "action"; data: Action }
  | { event: "override"; data: Override }
  | { event: "reset"; data: { reason: string } };

interface Live {
  tick: Tick | null;
  instance: string | null;
  heartbeat_ms: number;
  /** The process that spoke first was another one. */
  restarted: boolean;
  /** Grows with everything that can change an answer without a new version: a restart, a reset, an override. */
  epoch: number;
}

export const live: Live = { tick: null, instance: null, heartbeat_ms: 1000, restarted: false, epoch: 0 };

let heardAt: number | null = null;
let heardWall = 0;
const listeners = new Set<() => void>();

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tell(): void {
  for (const listener of [...listeners]) listener();
}

/** Takes in a message; `ago_ms` after another tab heard it. */
export function hear(message: Message, ago_ms = 0): void {
  heardAt = performance.now() - ago_ms;
  heardWall = Date.now() - ago_ms;
  switch (message.event) {
    case "hello":
      if (live.instance !== null && live.instance !== message.data.instance) {
        live.restarted = true;
        live.epoch += 1;
      }
      live.instance = message.data.instance;
      live.heartbeat_ms = message.data.heartbeat_ms;
      live.tick = message.data;
      break;
    case "tick":
      live.tick = message.data;
      break;
    case "action":
    case "override":
    case "reset":
      live.epoch += 1;
      break;
  }
  tell();
}

export function silence(): number {
  return performance.now() - (heardAt ?? 0);
}

/** Wall clock of the last word, Unix seconds; `null` if there never was one. */
export function lastWord(): number | null {
  return heardAt === null ? null : heardWall / 1000;
}

export function life(): Life {
  return lifeOf({
    silence_ms: silence(),
    ever: heardAt !== null,
    heartbeat_ms: live.heartbeat_ms,
    slot_age_ms: live.tick?.slot_age_ms ?? 0,
  });
}

/** The keeper's time, as it goes on. */
export function now(): number {
  return live.tick ? live.tick.now : Date.now() / 1000;
}

/** Draws again with every message and twice a second. */
export function useLive(): Live {
  const [, set] = useState(0);
  useEffect(() => subscribe(() => set((n) => n + 1)), []);
  return live;
}
