// Answers of the API that stay current: read again when the keeper's version moves, at most once in a while, by however many
// parts of the page show them.
import { useEffect, useReducer } from "preact/hooks";
import { ApiError, edition, get } from "./http";
import { subscribe } from "./state";

export interface Read<T> {
  /** The last good answer, also beside an error. */
  value: T | null;
  error: ApiError | null;
}

/** After an error the next try waits for this long. */
const AFTER_ERROR_MS = 3_000;

class Resource {
  value: unknown = null;
  error: ApiError | null = null;
  private seen = "";
  private at = -Infinity;
  private busy = false;
  private readonly watchers = new Map<() => void, number>();
  private stop: (() => void) | null = null;

  constructor(private readonly path: string) {}

  watch(changed: () => void, pause_ms: number): () => void {
    this.watchers.set(changed, pause_ms);
    this.stop ??= subscribe(() => void this.look());
    void this.look();
    return () => {
      this.watchers.delete(changed);
      if (this.watchers.size > 0) return;
      this.stop?.();
      this.stop = null;
      forget(this.path);
    };
  }

  private async look(): Promise<void> {
    const current = edition();
    const pause = this.error ? AFTER_ERROR_MS : Math.min(...this.watchers.values());
    if (this.busy || document.hidden || current === this.seen || performance.now() - this.at < pause) return;
    this.busy = true;
    this.at = performance.now();
    try {
      this.value = await get(this.path);
      this.error = null;
      this.seen = current;
    } catch (error) {
      this.error = error instanceof ApiError ? error : new ApiError(0, "unknown", String(error));
    } finally {
      this.busy = false;
    }
    for (const changed of this.watchers.keys()) changed();
  }
}

const resources = new Map<string, Resource>();
/** Answers that nobody shows are kept for a while: going back to a position shows it at once. */
const recent: string[] = [];
const KEPT = 24;

function forget(path: string): void {
  recent.push(path);
  const oldest = recent.length > KEPT ? recent.shift() : undefined;
  if (oldest !== undefined && oldest !== path) resources.delete(oldest);
}

function resource(path: string): Resource {
  let found = resources.get(path);
  if (!found) {
    found = new Resource(path);
    resources.set(path, found);
  }
  const at = recent.indexOf(path);
  if (at >= 0) recent.splice(at, 1);
  return found;
}

/** `null` reads nothing. */
export function useRead<T>(path: string | null, pause_ms = 1000): Read<T> {
  const [, draw] = useReducer((n: number, _: void) => n + 1, 0);
  useEffect(() => (path === null ? undefined : resource(path).watch(() => draw(undefined), pause_ms)), [path, pause_ms]);
  const found = path === null ? undefined : resources.get(path);
  return { value: (found?.value ?? null) as T | null, error: found?.error ?? null };
}
