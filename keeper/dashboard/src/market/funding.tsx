// Funding of the hedge's venue, with its forecast.
import type { Funding as Data } from "../contract";
import { Funding } from "../charts/funding";
import { percent, tokens } from "../format/number";
import { capital } from "../format/words";
import { useRead } from "../live/resource";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";

export function FundingPanel({ market, base }: { market: string; base: string }) {
  const read = useRead<Data>(`markets/${market}/funding`, 10_000);
  const latest = read.value?.past.at(-1)?.[1];
  return (
    <Panel
      title={`Funding ${read.value?.instrument ?? ""}`}
      note={
        latest === undefined ? undefined : (
          <>
            <b class="num">{percent(latest, 1, true)}</b> a year
          </>
        )
      }
    >
      {!read.value ? (
        <Waiting of={read} what="Funding" />
      ) : read.value.state === "unknown" ? (
        <p class="empty">Unknown: no venue for a hedge is configured.</p>
      ) : (
        <>
          <Funding data={read.value} />
          <p class="fine dim">
            {capital(read.value.venue ?? "a venue")}
            {`: the hedge holds ${tokens(read.value.position_base, true)} ${base}`}.
            {read.value.forecast_note && ` Forecast: ${read.value.forecast_note}.`}
          </p>
        </>
      )}
    </Panel>
  );
}
