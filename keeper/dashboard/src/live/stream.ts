// One connection to `/api/v1/events`, made anew when it breaks or falls silent.
import type { Message } from "./state";

const EVENTS = ["hello", "tick", "action", "override", "reset"] as const;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

export class Stream {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait_ms = FIRST_WAIT_MS;

  constructor(private readonly heard: (message: Message) => void) {}

  open(): void {
    this.close();
    const source = new EventSource("/api/v1/events");
    this.source = source;
    for (const event of EVENTS) {
      source.addEventListener(event, (raw) => {
        if (this.source !== source) return;
        const message = read(event, (raw as MessageEvent<string>).data);
        if (message) {
          this.wait_ms = FIRST_WAIT_MS;
          this.heard(message);
          return;
        }
        // What it said is lost: everything is read anew, over a new connection.
        source.close();
        this.heard({ event: "reset", data: { reason: `an event ${event} could not be read` } });
        this.again();
      });
    }
    // The browser itself tries again unless the answer was an error.
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) this.again();
    };
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private again(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.wait_ms * (1 + Math.random()));
    this.wait_ms = Math.min(this.wait_ms * 2, LONGEST_WAIT_MS);
  }
}

/** `null`: it is no event. */
function read(event: Message["event"], data: string): Message | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? ({ event, data: value } as Message) : null;
  } catch {
    return null;
  }
}
