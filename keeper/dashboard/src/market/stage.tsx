// The market's risk stage, and the evidence for it.
import type { Market } from "../contract";
import { num, said } from "../format/number";
import { span } from "../format/time";
import { stageWord } from "../format/words";
import { Panel } from "../parts/panel";

/** What the chain's short names mean. */
const EVIDENCE: Record<string, string> = {
  silence: "Oracle silent for",
  confidence: "Oracle’s confidence, ±",
  "EMA divergence": "Oracle from its average",
  "pool divergence": "Pool from the oracle",
  depth: "Pool’s depth, against its average",
  utilisation: "Most used reserve",
};

export function Stage({ market: m }: { market: Market }) {
  return (
    <Panel title={`Stage ${m.stage}: ${stageWord(m.stage)}`} note="kept on chain">
      <table class="data">
        <thead>
          <tr>
            <th>Evidence</th>
            <th class="num">Now</th>
            <th class="num">Raises at</th>
          </tr>
        </thead>
        <tbody>
          {m.stage_evidence.map((e) => (
            <tr key={e.name}>
              <th scope="row">{EVIDENCE[e.name] ?? e.name}</th>
              <td class="num">{said(e.value)}</td>
              <td class="num dim">{e.raises_at === null ? "off" : said(e.raises_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="fine dim">
        Oracle {m.price === null ? "without a price" : `${span(m.oracle.age_secs)} old`}
        {m.oracle.confidence_bps !== null && `, confidence ±${num(m.oracle.confidence_bps, 1)} bp`}
        {m.oracle.ema_divergence_bps !== null && `, ${num(m.oracle.ema_divergence_bps, 1)} bp from its average`}. Pool {num(m.deviation_bps, 1, true)} bp from the oracle, of{" "}
        {num(m.max_deviation_bps)} allowed. A usual day: ±{num(m.sigma_day * 100, 1)} %, {m.sigma_state}.
      </p>
    </Panel>
  );
}
