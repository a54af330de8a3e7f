// What stands where an answer will be, or could not be had.
import type { Read } from "../live/resource";

/** `what` begins the sentence: "The book". */
export function Waiting({ of, what }: { of: Read<unknown>; what: string }) {
  return <p class="empty">{of.error ? trouble(of.error.status, what, of.error.message) : "Reading…"}</p>;
}

function trouble(status: number, what: string, message: string): string {
  if (status === 503) return "The keeper is starting: it has no whole picture yet.";
  if (status === 404) return `${what} is unknown: this keeper does not tell it.`;
  return `${what} cannot be read: ${message}.`;
}
