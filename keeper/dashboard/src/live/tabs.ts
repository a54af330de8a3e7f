// One stream for all tabs: a browser opens six connections to a host, and a stream holds one for good. The tab that holds the
// lock streams and passes on what it hears; the others listen. A tab that hears nothing takes the lock away: the one that held
// it may be frozen.
import { LATE_AFTER, RECONNECT_AFTER } from "./life";
import { hear, live, type Message, silence, tell } from "./state";
import { Stream } from "./stream";

const NAME = "ballast-events";
const LOOK_MS = 500;

interface Passed {
  message: Message;
  /** For tabs that open later: the process that speaks, though its hello is long past. */
  instance: string | null;
  heartbeat_ms: number;
}

const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);
const stream = new Stream((message) => {
  hear(message);
  channel?.postMessage({ message, instance: live.instance, heartbeat_ms: live.heartbeat_ms } satisfies Passed);
});
let leading = false;
let triedAt = 0;
let waiting: AbortController | null = null;

export function start(): void {
  if (channel && navigator.locks) {
    channel.onmessage = ({ data }: MessageEvent<Passed>) => {
      if (!leading) follow(data);
    };
    lead(false);
  } else {
    // No locks without a secure context: each tab its own stream.
    leading = true;
    stream.open();
  }
  setInterval(look, LOOK_MS);
  const wake = () => {
    if (!document.hidden && silence() > LATE_AFTER * live.heartbeat_ms) retry();
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
}

function follow({ message, instance, heartbeat_ms }: Passed): void {
  if (message.event === "tick" && instance !== null && instance !== live.instance) {
    hear({ event: "hello", data: { ...message.data, instance, heartbeat_ms } });
  } else {
    hear(message);
  }
}

/** Waits for the lock, or takes it away from whoever has it; holds it until it is taken away. */
function lead(steal: boolean): void {
  waiting?.abort();
  const mine = new AbortController();
  waiting = mine;
  navigator.locks
    .request(NAME, steal ? { steal } : { signal: mine.signal }, () => {
      leading = true;
      triedAt = performance.now();
      stream.open();
      return new Promise<void>(() => undefined);
    })
    .catch(() => {
      if (mine.signal.aborted) return;
      leading = false;
      stream.close();
      lead(false);
    });
}

function look(): void {
  tell();
  const patience = (leading ? RECONNECT_AFTER : LATE_AFTER) * live.heartbeat_ms;
  const rested = performance.now() - triedAt > RECONNECT_AFTER * live.heartbeat_ms;
  if (silence() > patience && rested && !document.hidden) retry();
}

function retry(): void {
  triedAt = performance.now();
  if (leading) stream.open();
  else if (navigator.locks) lead(true);
}
