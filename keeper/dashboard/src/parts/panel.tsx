// A box with a head.
import type { ComponentChildren } from "preact";

interface PanelProps {
  title: ComponentChildren;
  /** At the head's right. */
  note?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

export function Panel({ title, note, class: kind = "", children }: PanelProps) {
  return (
    <section class={`panel ${kind}`}>
      <div class="head">
        <h3>{title}</h3>
        {note !== undefined && <span class="dim note">{note}</span>}
      </div>
      {children}
    </section>
  );
}
