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

/**
 * Without pictures and what is read aloud only, unless they are a place themselves. `rest`: pictures' texts too, and what is read aloud
 * of them, of the page or of what `within` names. `covered`: places that are compared elsewhere.
 */
export function see(page: Page, places: readonly Place[], covered: readonly Place[], within = "body"): Promise<Seen> {
  return page.evaluate(
    ({ places, covered, within }) => {
      const ASIDE = "script, style, .vh, dialog, option";
      const HIDDEN = `svg, ${ASIDE}`;
      const elements = ({ panel, css }: { panel?: string; css: string }): Element[] => {
        const roots = panel === undefined ? [document.body] : [...document.querySelectorAll(".panel")].filter((p) => p.querySelector(".head h2, .head h3")?.textContent?.startsWith(panel));
        return roots.flatMap((root) => [...root.querySelectorAll<HTMLElement>(css)]).filter((e) => e.checkVisibility());
      };
      /** Something within the root that is looked over. */
      const aside = (node: Element | null, root: Element, css: string) => {
        const over = node?.closest(css);
        return over != null && over !== root && root.contains(over);
      };
      const nodes = (root: Element, hidden = HIDDEN): Text[] => {
        const found: Text[] = [];
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) if (!aside(node.parentElement, root, hidden)) found.push(node as Text);
        return found;
      };
      const known = [...places, ...covered].flatMap(elements);
      const unknown = (of: Node) => !known.some((e) => e.contains(of));
      const where = (e: Element | null) => e?.closest("section, dl, header, div")?.className;
      const root = document.querySelector(within) ?? document.body;
      const texts = nodes(root, ASIDE)
        .filter((node) => /\d/.test(node.data) && node.parentElement?.checkVisibility() && unknown(node))
        .map((node) => `${where(node.parentElement)}: ${node.parentElement?.textContent}`);
      const aloud = [...root.querySelectorAll("svg")]
        .filter((svg) => svg.checkVisibility() && !aside(svg, root, ASIDE) && unknown(svg))
        .map((svg) => `${where(svg)}: a picture, ${svg.getAttribute("aria-label") ?? svg.getAttribute("class")}`);
      return { texts: places.map((place) => elements(place).map((e) => nodes(e).map((node) => node.data).join(""))), rest: [...texts, ...aloud] };
    },
    { places, covered, within },
  );
}
