// What every part of the page may need: who the keeper is, which markets there are, how fresh everything is.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Address, MarketName, Scope, Status, Wish } from "./contract";
import { named } from "./format/named";
import type { Life } from "./live/life";

/** An override that a person is about to decide on. */
export interface Ask {
  scope: Scope;
  mode: Wish;
  /** The mode that is shown: if it is another by then, nothing is changed. `undefined`: what is shown is known to be old. */
  expect: string | undefined;
  position?: Address;
  number?: number;
  market?: Address;
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

/** Names positions by number; with several markets also by market: the base token, or the pair where two markets trade the same one. */
export function useNamed(): (number: number | null | undefined, market: Address | null | undefined) => string {
  const { status } = usePage();
  return (number, market) => named(status?.markets ?? [], number, market);
}
