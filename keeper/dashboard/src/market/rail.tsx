// Beside a position: everything around it.
import type { Book, Market, Position } from "../contract";
import { useSymbols } from "../context";
import { BookGap } from "../book/gap";
import { Flags } from "./flags";
import { FundingPanel } from "./funding";
import { Overrides } from "./overrides";
import { Pool } from "./pool";
import { Reserves } from "./reserves";

export function Rail({ market, position, book }: { market: Market | null; position: Position | null; book: Book | null }) {
  const { base, quote } = useSymbols(market?.market);
  return (
    <div class="rail">
      <Flags />
      {market && <Pool market={market.market} position={position} quote={quote} />}
      {market && <FundingPanel market={market.market} base={base} />}
      {market && <Reserves reserves={market.reserves} />}
      <BookGap book={book} quote={quote} />
      <Overrides />
    </div>
  );
}
