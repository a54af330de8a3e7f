// Which rows of a long list are drawn, and which pages of the API they need.

export const ROW_HEIGHT = 34;
export const PAGE = 100;
/** Drawn beyond what is seen, above and below. */
const SPARE = 4;

export interface Window {
  /** Rows `from..to` are drawn. */
  from: number;
  to: number;
  /** Offset of the first page, and of the second if one is needed. */
  page: number;
  second: number | null;
}

/** `scrolled` and `tall` in pixels; `total` rows, or `null` when it is not known yet. */
export function windowOf(scrolled: number, tall: number, total: number | null): Window {
  const all = total ?? PAGE;
  const first = Math.max(0, Math.floor(scrolled / ROW_HEIGHT) - SPARE);
  const from = Math.min(first, Math.max(0, all - 1));
  const to = Math.max(from, Math.min(all, Math.ceil((scrolled + tall) / ROW_HEIGHT) + SPARE));
  const page = Math.floor(from / PAGE) * PAGE;
  return { from, to, page, second: to > page + PAGE ? page + PAGE : null };
}

/** Where to scroll so that a row is seen; `head` pixels of the box are covered by the table's head. */
export function scrollTo(row: number, scrolled: number, tall: number, head: number): number {
  const top = row * ROW_HEIGHT;
  if (top < scrolled) return top;
  const bottom = top + ROW_HEIGHT + head;
  return bottom > scrolled + tall ? bottom - tall : scrolled;
}
