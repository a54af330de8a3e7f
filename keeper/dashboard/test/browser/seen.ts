// What a view of the page says, by place; and every number on it that stands at no place.
import type { Page } from "playwright-core";

/** Elements by CSS; inside the panel whose head begins so, if one is named. */
export interface Place {
  panel?: string;
  css: string;
}

export interface Seen {
  /** Texts of each place's elements, in the order of the page. */
  texts: string[][];
  /** Numbers at none of the places. */
  rest: string[];
}

/** Pictures are left out, which are no numbers, and what is read aloud only. `covered`: places that are compared elsewhere. */
export function see(page: Page, places: readonly Place[], covered: readonly Place[]): Promise<Seen> {
  return page.evaluate(
    ({ places, covered }) => {
      const HIDDEN = "svg, script, style, .vh, dialog, option";
      const elements = ({ panel, css }: { panel?: string; css: string }): Element[] => {
        const roots = panel === undefined ? [document.body] : [...document.querySelectorAll(".panel")].filter((p) => p.querySelector(".head h2, .head h3")?.textContent?.startsWith(panel));
        return roots.flatMap((root) => [...root.querySelectorAll<HTMLElement>(css)]).filter((e) => e.checkVisibility());
      };
      const nodes = (root: Node): Text[] => {
        const found: Text[] = [];
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) if (!node.parentElement?.closest(HIDDEN)) found.push(node as Text);
        return found;
      };
      const known = [...places, ...covered].flatMap(elements);
      const rest = nodes(document.body)
        .filter((node) => /\d/.test(node.data) && node.parentElement?.checkVisibility() && !known.some((e) => e.contains(node)))
        .map((node) => `${node.parentElement?.closest("section, dl, header, div")?.className}: ${node.parentElement?.textContent}`);
      return { texts: places.map((place) => elements(place).map((e) => nodes(e).map((node) => node.data).join(""))), rest };
    },
    { places, covered },
  );
}
