// What is wrong with the keeper, what that means for the money, and what to do. One banner, the worst.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { clusterUrl } from "../commands";
import { usePage } from "../context";
import type { Row } from "../contract";
import { num } from "../format/number";
import { clock, span } from "../format/time";
import { sentence } from "../format/words";
import { lastWord, live, silence } from "../live/state";
import { Command } from "../parts/command";

/** By what it means for the money: dead, blind, halted, late, reducing, restarted, and modes that send nothing anyway. */
export function Banner({ nearest }: { nearest: Row | null }) {
  const { status, life } = usePage();
  const mode = live.tick?.mode;
  const reason = status?.keeper.mode_reason ? sentence(status.keeper.mode_reason) : "";
  if (life === "dead") return <Dead nearest={nearest} />;
  if (life === "blind") return <Blind nearest={nearest} />;
  if (mode === "halted") {
    return (
      <Notice kind="critical" head="The keeper is halted.">
        It sends nothing; anybody may still liquidate at maintenance. {reason}
      </Notice>
    );
  }
  if (life === "late") {
    return (
      <Notice kind="warn" head="The keeper is late." lasting={`Last word ${span(silence() / 1000)} ago.`}>
        Connecting again.
      </Notice>
    );
  }
  if (mode === "reducing") {
    return (
      <Notice kind="warn" head="The keeper only reduces risk.">
        {reason}
      </Notice>
    );
  }
  if (live.restarted) return <Restarted />;
  if (mode === "observe" || mode === "paper") {
    return (
      <Notice kind="note" head={mode === "observe" ? "The keeper observes:" : "The keeper trades on paper:"}>
        it decides, but sends nothing. {reason}
      </Notice>
    );
  }
  return null;
}

/** A cluster may have several markets, and a command then needs one: that of the position nearest to liquidation. */
function useMarket(nearest: Row | null): string | undefined {
  const { status } = usePage();
  return (status?.markets.length ?? 0) > 1 ? nearest?.market : undefined;
}

function Dead({ nearest }: { nearest: Row | null }) {
  const market = useMarket(nearest);
  const since = lastWord();
  return (
    <Notice
      kind="critical"
      head={since === null ? "The keeper does not answer." : `No word from the keeper since ${clock(since)} UTC.`}
      lasting={`For ${span(silence() / 1000)}.`}
    >
      {since !== null && "Everything below is as of then. "}
      Nobody here watches these positions now; anybody may still liquidate them at maintenance. Look: <Command name="service" />, then{" "}
      <Command name="doctor" filled={{ MARKET: market }} />. By hand: <Command name="positions" filled={{ MARKET: market }} />, then{" "}
      <Command name="deleverage" filled={{ POSITION: nearest?.position }} />. <Stand />
    </Notice>
  );
}

/** What the capitals stand for. */
function Stand() {
  const { status } = usePage();
  return (
    <span class="dim">
      FILE is the keeper’s configuration{clusterUrl(status?.keeper.cluster) === null && ", URL its cluster’s node"}.
    </span>
  );
}

function Blind({ nearest }: { nearest: Row | null }) {
  const { status } = usePage();
  const market = useMarket(nearest);
  const endpoints = status?.endpoints.map((e) => `${e.name} ${e.state}`).join(", ");
  return (
    <Notice
      kind="critical"
      head="The keeper runs, but sees no new slots."
      lasting={`For ${span(((live.tick?.slot_age_ms ?? 0) + silence()) / 1000)}.`}
    >
      It decides nothing on old data. {endpoints && `Endpoints: ${endpoints}. `}Prices and health below are as of slot {num(live.tick?.slot)}. Look:{" "}
      <Command name="doctor" filled={{ MARKET: market }} />. <Stand />
    </Notice>
  );
}

function Restarted() {
  const [, draw] = useState(0);
  return (
    <Notice kind="note" head="The keeper was restarted">
      since this page was opened. It recovered from chain and journal; the numbers are the new process’s.{" "}
      <button
        type="button"
        class="link"
        onClick={() => {
          live.restarted = false;
          draw((n) => n + 1);
        }}
      >
        Noted
      </button>
    </Notice>
  );
}

interface NoticeProps {
  kind: "critical" | "warn" | "note";
  head: string;
  /** How long it has lasted: shown, but not read aloud every second. */
  lasting?: string;
  children: ComponentChildren;
}

function Notice({ kind, head, lasting, children }: NoticeProps) {
  return (
    <div class={`banner ${kind}`} role={kind === "critical" ? "alert" : "status"}>
      <b>{head}</b>
      {lasting && (
        <span class="num" aria-hidden="true">
          {lasting}
        </span>
      )}
      <span>{children}</span>
    </div>
  );
}
