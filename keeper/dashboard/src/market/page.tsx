// Markets: all of them in one table, and one in full.
import type { Book, Market, MarketName, Position } from "../contract";
import { usePage, useSymbols } from "../context";
import { BookGap } from "../book/gap";
import { num, price, short } from "../format/number";
import { stageWord } from "../format/words";
import { useRead } from "../live/resource";
import { Panel } from "../parts/panel";
import { Unknown } from "../parts/unknown";
import { Waiting } from "../parts/waiting";
import { go, href } from "../route";
import { Flags } from "./flags";
import { FundingPanel } from "./funding";
import { HedgePanel } from "./hedge";
import { Pool } from "./pool";
import { Reserves } from "./reserves";
import { Stage } from "./stage";

interface MarketsProps {
  chosen: string | null;
  book: Book | null;
  position: Position | null;
}

export function MarketsPage({ chosen, book, position }: MarketsProps) {
  const { status } = usePage();
  const markets = status?.markets ?? [];
  const address = chosen ?? markets[0]?.market ?? null;
  const read = useRead<Market>(address ? `markets/${address}` : null, 2000);
  const { base, quote } = useSymbols(address);
  if (status && chosen && !markets.some((m) => m.market === chosen)) {
    return <Unknown what={`This keeper serves no market ${short(chosen)}.`} to={{ view: "markets", market: null }} link="To its markets" />;
  }
  const m = read.value;
  /** The book, if it is this market's. */
  const own = !book?.market || book.market === address ? book : null;
  return (
    <div class="wide-page">
      <h1 class="vh">Markets</h1>
      {markets.length > 1 && <All markets={markets} chosen={address} />}
      <div class="tiles">
        {m ? <Stage market={m} /> : <section class="panel">{status && !address ? <p class="empty">No market is configured.</p> : <Waiting of={read} what="The market" />}</section>}
        <Flags />
        {address && <Pool market={address} position={position} quote={quote} />}
        {address && <FundingPanel market={address} base={base} />}
        {own?.hedge_pnl && <HedgePanel pnl={own.hedge_pnl} quote={quote} />}
        {m && <Reserves reserves={m.reserves} />}
        {(own || !book) && <BookGap book={own} quote={quote} />}
        {m && (
          <Panel title={m.name} note="addresses">
            <dl class="pairs">
              <dt>Market</dt>
              <dd class="mono">{short(m.market)}</dd>
              <dt>Pool</dt>
              <dd class="mono">{short(m.pool)}</dd>
              <dt>Oracle’s price</dt>
              <dd class="num">{price(m.price)}</dd>
              <dt>Pool’s price</dt>
              <dd class="num">{price(m.pool_price)}</dd>
            </dl>
          </Panel>
        )}
      </div>
    </div>
  );
}

function All({ markets, chosen }: { markets: MarketName[]; chosen: string | null }) {
  return (
    <Panel title="Markets" note="one is shown below">
      <table class="data pick">
        <thead>
          <tr>
            <th>Market</th>
            <th class="num">Oracle</th>
            <th class="num w-away">Pool, bp away</th>
            <th class="num">Positions</th>
            <th>Stage</th>
          </tr>
        </thead>
        <tbody>
          {markets.map((m) => {
            const away = m.price !== null && m.pool_price !== null ? (m.pool_price / m.price - 1) * 1e4 : null;
            const to = { view: "markets", market: m.market } as const;
            return (
              <tr key={m.market} class={m.market === chosen ? "selected" : ""} aria-current={m.market === chosen ? "true" : undefined} onClick={() => go(to)}>
                <th scope="row">
                  <a href={href(to)}>{m.name}</a>
                </th>
                <td class="num">{price(m.price)}</td>
                <td class="num w-away">{num(away, 1, true)}</td>
                <td class="num">{num(m.positions)}</td>
                <td class={m.stage > 0 ? "warn-text" : ""}>
                  {m.stage} {stageWord(m.stage)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Panel>
  );
}
