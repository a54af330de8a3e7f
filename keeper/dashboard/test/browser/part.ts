// A part of the page that says numbers, and its comparison with the API.
import { difference, type Said } from "./said";
import type { Place, Seen } from "./seen";
import type { Visit } from "./visit";

/** What a view is about. */
export interface About {
  market: string;
  base: string;
  quote: string;
  name: string;
  /** Shown beside it. */
  position: string | null;
  /** Several markets are shown. */
  many: boolean;
}

/** A part of the page. */
export interface Part {
  what: string;
  places: Place[];
  /** What differs between the page and an answer, read now; none if nothing does. */
  compare: (visit: Visit, seen: () => Promise<Seen>) => Promise<string[]>;
}

export interface Shown {
  at: Place;
  says: Said[];
  /** More may follow that are not drawn, or not shown at this width. */
  some?: boolean;
}

/** A part whose places depend on what is answered are named beforehand by an answer that has everything. */
export function part<T>(what: string, read: (visit: Visit) => Promise<T>, shown: (answer: T) => Shown[]): (visit: Visit) => Promise<Part> {
  return async (first) => ({
    what,
    places: shown(await read(first)).map((one) => one.at),
    compare: async (visit, see) => {
      const before = await read(visit);
      const { texts } = await see();
      const after = await read(visit);
      const tried = [before, after].map((answer) => shown(answer).flatMap((one, i) => differences(one, texts[i] ?? [])));
      return tried.find((found) => found.length === 0) ?? tried[1] ?? [];
    },
  });
}

function differences({ at, says, some }: Shown, texts: string[]): string[] {
  const where = `${at.panel ?? ""} ${at.css}`;
  if (some ? texts.length > says.length || (says.length > 0 && texts.length === 0) : texts.length !== says.length) return [`${where}: ${texts.length} shown, ${says.length} expected: ${texts.join(" | ")}`];
  return texts.flatMap((text, i) => difference(text, says[i] as Said) ?? []).map((found) => `${where}: ${found}`);
}
