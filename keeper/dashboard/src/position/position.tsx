// One position: what happens to it, at which price, and why.
import { useState } from "preact/hooks";
import type { Actions, Position as Data, Row } from "../contract";
import { EquityCurve, type Zoom } from "../charts/equity-curve";
import { useNamed, usePage, useSymbols } from "../context";
import { price, short } from "../format/number";
import { sentence } from "../format/words";
import { useRead } from "../live/resource";
import { Buttons } from "../parts/buttons";
import { RangeButtons } from "../parts/range-buttons";
import { Waiting } from "../parts/waiting";
import { href } from "../route";
import { ACTIONS_SHOWN, PositionActions } from "./actions";
import { Attribution } from "./attribution";
import { Figures } from "./figures";
import { History } from "./history";
import { Ladder } from "./ladder";
import { Sentence } from "./sentence";
import { WhatIf } from "./what-if";

const ZOOMS = [
  ["all", "Whole curve"],
  ["band", "Around the band"],
] as const;

/** `nearer`: another that is nearer to liquidation by now, where nobody chose this one. */
export function Position({ address, nearer }: { address: string; nearer: Row | null }) {
  const called = useNamed();
  const read = useRead<Data>(`positions/${address}`);
  const actions = useRead<Actions>(`actions?position=${address}&limit=${ACTIONS_SHOWN}`);
  const [zoom, setZoom] = useState<Zoom>("all");
  const p = read.value;
  const { base, quote, name } = useSymbols(p?.market);
  if (!p) {
    const gone = read.error?.code === "no_such_position";
    return (
      <section class="panel">
        {gone ? <p class="empty">There is no position {short(address)} any more: it was closed, or never was.</p> : <Waiting of={read} what="The position" />}
      </section>
    );
  }
  return (
    <div class="position" data-mode={p.mode}>
      <section class="panel">
        <div class="head title">
          <h2>
            #{p.id} <span class="label">{p.label ?? ""}</span>
          </h2>
          <button type="button" class="link mono" title={`${p.position}: copy`} onClick={() => void navigator.clipboard?.writeText(p.position)}>
            {short(p.position)}
          </button>
          <span class="dim num">
            {name} {price(p.lower)} to {price(p.upper)} {p.in_range ? "in range" : <b class="warn-text">out of range</b>}
          </span>
          <span class="grow" />
          <PositionControls p={p} />
        </div>
        {p.paused?.mode === "reduce" && (
          <p class="fine warn-text">
            Only what reduces its risk is done, by override #{p.paused.id} of {p.paused.by}: {sentence(p.paused.note)}
          </p>
        )}
        <Sentence position={p} />
        <Figures position={p} base={base} quote={quote} />
        {/* Below everything: it may come at any time, and must not move the buttons. */}
        {nearer && (
          <p class="fine nearer">
            Nearest to liquidation is now <a href={href({ view: "position", position: nearer.position })}>{called(nearer.id, nearer.market)}</a>.
          </p>
        )}
      </section>
      <section class="panel curve-panel">
        <div class="head">
          <h3>Equity against price</h3>
          <RangeButtons label="Range of prices" options={ZOOMS} value={zoom} choose={setZoom} />
        </div>
        <div class="curve-row">
          <EquityCurve position={p} zoom={zoom} base={base} />
          <Ladder position={p} />
        </div>
      </section>
      <div class="pair">
        <WhatIf position={p} quote={quote} />
        <Attribution position={p} quote={quote} />
      </div>
      <History position={p} base={base} quote={quote} actions={actions.value?.rows ?? []} />
      <PositionActions position={address} read={actions} quote={quote} />
    </div>
  );
}

/** Pausing raises risk, so it is red. */
function PositionControls({ p }: { p: Data }) {
  const { life, ask } = usePage();
  const off = life === "dead" || life === "starting";
  const about = { scope: "position", position: p.position, number: p.id, market: p.market, expect: p.mode } as const;
  return (
    <Buttons>
      {!p.paused && (
        <button type="button" disabled={off} onClick={() => ask({ ...about, mode: "reduce" })}>
          Reduce…
        </button>
      )}
      {p.paused?.mode !== "pause" && (
        <button type="button" class="danger" disabled={off} onClick={() => ask({ ...about, mode: "pause" })}>
          Pause…
        </button>
      )}
      {p.paused && (
        <button type="button" class="primary" disabled={off} onClick={() => ask({ ...about, mode: "resume" })}>
          Resume…
        </button>
      )}
    </Buttons>
  );
}
