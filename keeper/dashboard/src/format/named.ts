// What a position is called among others: its number, and its market where there are several.
import type { Address, MarketName } from "../contract";

/** What tells a market from the others, in one word; "" where there is one only. */
export function marketWord(markets: MarketName[], market: Address | null | undefined): string {
  const found = markets.length > 1 ? markets.find((m) => m.market === market) : undefined;
  if (!found) return "";
  return markets.some((m) => m.market !== market && m.base === found.base) ? found.name : found.base;
}

/** `#3`, or `#3 SOL` where there are several markets; `#?`: a position that is not known any more. */
export function named(markets: MarketName[], number: number | null | undefined, market: Address | null | undefined): string {
  const word = marketWord(markets, market);
  return `#${number ?? "?"}${word && ` ${word}`}`;
}
