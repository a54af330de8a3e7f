// Requests to the keeper's API.
import type { ErrorBody } from "../contract";
import { live } from "./state";
import { token } from "./token";

const TIMEOUT_MS = 10_000;
const KEPT_ANSWERS = 200;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

const kept = new Map<string, { tag: string; value: unknown }>();

/** Reads; an answer that has not changed is not sent again. */
export async function get<T>(path: string): Promise<T> {
  const known = kept.get(path);
  const answer = await request(path, { headers: known ? { "If-None-Match": known.tag } : {} });
  if (answer.status === 304 && known) return known.value as T;
  const value = await body(answer);
  const tag = answer.headers.get("ETag");
  kept.delete(path);
  if (tag) kept.set(path, { tag, value });
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT_ANSWERS && oldest !== undefined) kept.delete(oldest);
  return value as T;
}

/** Sends once: the same key twice is the same request, as far as the keeper is concerned. */
export async function post<T>(path: string, value: unknown, key: string): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json", "Idempotency-Key": key };
  const known = token();
  if (known) headers.Authorization = `Bearer ${known}`;
  const answer = await request(path, { method: "POST", headers, body: JSON.stringify(value) });
  return (await body(answer)) as T;
}

/** An idempotency key. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function request(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`/api/v1/${path}`, { ...init, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiError(0, timedOut ? "timed_out" : "unreachable", timedOut ? `no answer in ${TIMEOUT_MS / 1000} s` : "the keeper does not answer");
  }
}

async function body(answer: Response): Promise<unknown> {
  const value: unknown = await answer.json().catch(() => null);
  if (answer.ok && value !== null) return value;
  const problem = (value as ErrorBody | null)?.error;
  throw new ApiError(answer.status, problem?.code ?? "unknown", problem?.message ?? `the keeper answered ${answer.status}`, problem?.field);
}

/** Changes whenever an answer may have: what is shown is read again then. */
export function edition(): string {
  return `${live.instance}-${live.tick?.version ?? 0}-${live.epoch}`;
}
