// What every part of the page may need: who the keeper is, which markets there are, how fresh everything is.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Address, AppliedOverride, MarketName, Scope, Status, Wish } from "./contract";
import type { Life } from "./live/life";

/** An override that a person is about to decide on. */
export interface Ask {
  scope: Scope;
  mode: Wish;
  position?: Address;
  number?: number;
}

export interface Context {
  status: Status | null;
  life: Life;
  ask: (ask: Ask) => void;
}

export const PageContext = createContext<Context>({ status: null, life: "starting", ask: () => undefined });

export function usePage(): Context {
  return useContext(PageContext);
}

/** Symbols of a market; neutral words until they are known. */
export function useSymbols(market: Address | null | undefined): { base: string; quote: string; name: string } {
  const found = useMarketName(market);
  return { base: found?.base ?? "base", quote: found?.quote ?? "quote", name: found?.name ?? "" };
}

export function useMarketName(market: Address | null | undefined): MarketName | null {
  const { status } = usePage();
  return status?.markets.find((m) => m.market === market) ?? null;
}

/** What is said of an override that was journaled. */
export function done(entry: AppliedOverride): string {
  const what = entry.scope === "keeper" ? "the keeper" : `position #${entry.number ?? entry.position ?? ""}`;
  const sent = entry.in_flight.map((flight) => `${flight.action} of ${flight.number === null ? "a position" : `#${flight.number}`}`);
  const landing = sent.length === 0 ? "" : ` Already sent, and may still land: ${sent.join(", ")}.`;
  return `Done and journaled as #${entry.id}: ${entry.mode} ${what}, “${entry.note}”.${landing}`;
}
