// The book, sorted by danger: only rows that are seen are drawn, and read a page at a time.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Positions } from "../contract";
import { StripScale } from "../charts/strip";
import { usePage, useSymbols } from "../context";
import { marketWord } from "../format/named";
import { num } from "../format/number";
import { useKeys } from "../keys";
import { useRead } from "../live/resource";
import { useSetting } from "../live/setting";
import { Command } from "../parts/command";
import { Waiting } from "../parts/waiting";
import { go, positionInAddress } from "../route";
import { type Column, columnsOf, STRIP_PADDING, widthOf } from "./columns";
import { Row } from "./row";
import { PAGE, ROW_HEIGHT, scrollTo, windowOf } from "./window";

const SORTS = ["danger", "due", "ltv", "equity", "delta", "leverage", "id"] as const;
const SORT_NAMES: Record<(typeof SORTS)[number], string> = {
  danger: "Danger first",
  due: "Due first",
  ltv: "LTV",
  equity: "Equity",
  delta: "Delta",
  leverage: "Leverage",
  id: "Number",
};

interface Props {
  selected: string | null;
  /** Whether single keys do something. */
  keys: boolean;
  /** Somebody asked for the filter, perhaps before there was a book to show it. */
  filterAsked: boolean;
  filterReached: () => void;
}

export function Book({ selected, keys, filterAsked, filterReached }: Props) {
  const { status } = usePage();
  const [sort, setSort] = useSetting("sort", SORTS, "danger");
  const [query, setQuery] = useState("");
  const [market, setMarket] = useState("");
  const [scrolled, setScrolled] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const filter = useRef<HTMLInputElement>(null);
  const { tall, wide } = useSize(box);
  const known = useRef<number | null>(null);

  const path = (offset: number) =>
    `positions?${new URLSearchParams({ sort, offset: String(offset), limit: String(PAGE), ...(query && { q: query }), ...(market && { market }) })}`;
  const shown = windowOf(scrolled, tall, known.current);
  const first = useRead<Positions>(path(shown.page));
  const second = useRead<Positions>(shown.second === null ? null : path(shown.second));
  const total = first.value?.total ?? known.current;
  known.current = total;
  const rows = useMemo(() => [...(first.value?.rows ?? []), ...(second.value?.rows ?? [])], [first.value, second.value]);
  const drawn = rows.slice(shown.from - shown.page, shown.to - shown.page);

  const markets = status?.markets ?? [];
  const many = markets.length > 1 && market === "";
  const columns = columnsOf(wide, many);
  const { strip } = columns;
  const col = (column: Column) => <col style={{ width: `${widthOf(column, columns)}px` }} />;
  const { base, quote } = useSymbols(market || markets[0]?.market);
  const toTop = () => {
    known.current = null;
    setScrolled(0);
    if (box.current) box.current.scrollTop = 0;
  };

  useLayoutEffect(() => {
    if (!filterAsked) return;
    filter.current?.focus();
    filterReached();
  }, [filterAsked]);

  useKeys((key) => {
    if (!keys) return;
    if (key !== "j" && key !== "k") return;
    const here = positionInAddress() ?? selected;
    const at = rows.findIndex((row) => row.position === here);
    const index = Math.max(0, Math.min(rows.length - 1, at + (key === "j" ? 1 : -1)));
    const row = rows[index];
    if (!row || !box.current) return;
    go({ view: "position", position: row.position });
    box.current.scrollTop = scrollTo(shown.page + index, box.current.scrollTop, box.current.clientHeight, ROW_HEIGHT);
  });

  return (
    <section class="panel book" aria-label="Book">
      <div class="head">
        <h2>
          Book <span class="dim num">{total === null ? "" : num(total)}</span>
        </h2>
        <input
          ref={filter}
          type="search"
          placeholder="Filter ( / )"
          aria-label="Filter by number, address, owner or label"
          value={query}
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            toTop();
          }}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
        {markets.length > 1 && (
          <select
            aria-label="Market"
            value={market}
            onChange={(event) => {
              setMarket(event.currentTarget.value);
              toTop();
            }}
          >
            <option value="">All markets</option>
            {markets.map((m) => (
              <option key={m.market} value={m.market}>
                {m.name}
              </option>
            ))}
          </select>
        )}
        <select
          aria-label="Sort by"
          value={sort}
          onChange={(event) => {
            setSort(SORTS.find((one) => one === event.currentTarget.value) ?? "danger");
            toTop();
          }}
        >
          {SORTS.map((one) => (
            <option key={one} value={one}>
              {SORT_NAMES[one]}
            </option>
          ))}
        </select>
      </div>
      <div class="scroll" ref={box} tabIndex={0} role="region" aria-label="Positions" onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}>
        <table class={columns.tight ? "tight" : undefined} aria-rowcount={(total ?? 0) + 1}>
          <colgroup>
            {col("sign")}
            <col />
            {strip > 0 && <col style={{ width: `${strip + STRIP_PADDING}px` }} />}
            {col("near")}
            {columns.ltv && col("ltv")}
            {columns.leverage && col("leverage")}
            {columns.delta && col(many ? "deltaUnit" : "delta")}
            {col("equity")}
            {columns.next && col("next")}
          </colgroup>
          <thead>
            <tr>
              <th class="sign">
                <span class="vh">State</span>
              </th>
              <th>Pos.</th>
              {strip > 0 && (
                <th class="strip-cell">
                  <span class="vh">Band and boundaries, percent from the price</span>
                  <StripScale width={strip} />
                </th>
              )}
              <th class="num" title="How far the price is from the nearest liquidation boundary, percent">
                Liq. %
              </th>
              {columns.ltv && (
                <th class="num" title="Debt as a part of assets, percent">
                  LTV %
                </th>
              )}
              {columns.leverage && (
                <th class="num" title="Assets as a multiple of equity">
                  Lev.
                </th>
              )}
              {columns.delta && (
                <th class="num c-delta" title={`Delta${many ? "" : `, ${base}`}`}>
                  {many || base.length > 4 ? "Delta" : `Δ ${base}`}
                </th>
              )}
              <th class="num c-equity" title={`Equity${many ? "" : `, ${quote}`}`}>
                {many || quote.length > 4 ? "Equity" : `Eq. ${quote}`}
              </th>
              {columns.next && <th>Next</th>}
            </tr>
          </thead>
          <tbody>
            <Space rows={shown.from} />
            {drawn.map((row, i) => (
              <Row
                key={row.position}
                row={row}
                index={shown.from + i}
                selected={row.position === selected}
                columns={columns}
                market={many ? marketWord(markets, row.market) : ""}
                base={many ? (markets.find((m) => m.market === row.market)?.base ?? null) : null}
              />
            ))}
            <Space rows={(total ?? 0) - shown.from - drawn.length} />
          </tbody>
        </table>
        {first.value && total === 0 && <Empty query={query} all={() => setQuery("")} />}
        {!first.value && total === null && <Waiting of={first} what="The book" />}
      </div>
      <div class="foot dim">
        <span class="key">
          <i class="k-band" />
          band
        </span>
        <span class="key">
          <i class="k-s-liq" />
          liquidation
        </span>
        <span class="key">
          <i class="k-s-next" />
          next action
        </span>
        {keys && <span class="keys">j k move · / filter · ? keys</span>}
      </div>
    </section>
  );
}

/** Rows that are not drawn. */
function Space({ rows }: { rows: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="space" aria-hidden="true">
      <td style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  );
}

function Empty({ query, all }: { query: string; all: () => void }) {
  if (query === "") {
    return (
      <p class="empty">
        No positions yet. <Command name="open" /> says how to open one; it appears here within a slot.
      </p>
    );
  }
  return (
    <p class="empty">
      No position matches “{query}”.{" "}
      <button type="button" class="link" onClick={all}>
        Show all
      </button>
    </p>
  );
}

function useSize(box: { current: HTMLDivElement | null }): { tall: number; wide: number } {
  const [size, set] = useState({ tall: 600, wide: 560 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = () => set({ tall: element.clientHeight, wide: element.clientWidth });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return size;
}
