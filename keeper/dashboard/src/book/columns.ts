// Which columns the book has room for: what matters most comes first, and the position's number, its only link, always has its place.

export interface Columns {
  /** Little room beside the texts of cells. */
  tight: boolean;
  /** Width of the row's picture; 0: there is none. */
  strip: number;
  /** What tells the market, where there are several. */
  base: boolean;
  /** The label, or the address. */
  name: boolean;
  ltv: boolean;
  delta: boolean;
  leverage: boolean;
  next: boolean;
}

/** In pixels, with the cells' padding. */
const WIDTHS = { sign: 22, near: 76, ltv: 56, leverage: 58, delta: 82, deltaUnit: 112, equity: 76, next: 150 } as const;
export type Column = keyof typeof WIDTHS;
/** Below it cells are tight. */
const ROOMY = 432;
const TIGHT: Partial<Record<Column, number>> = { near: 70, ltv: 46, equity: 70 };
const NUMBER = 50;
const BASE = 42;
const NAME = 52;
export const STRIP_PADDING = 8;
const WITHOUT_NAME = 140;
const STRIPS = [52, 90, 140, 180, 220] as const;

export function widthOf(column: Column, { tight }: Pick<Columns, "tight">): number {
  return (tight ? TIGHT[column] : undefined) ?? WIDTHS[column];
}

/** `width` of the table; `many`: positions of several markets stand in it. */
export function columnsOf(width: number, many: boolean): Columns {
  const columns: Columns = { tight: width < ROOMY, strip: 0, base: false, name: false, ltv: false, delta: false, leverage: false, next: false };
  const of = (column: Column) => widthOf(column, columns);
  let left = width - of("sign") - NUMBER - of("near") - of("equity");
  const strip = (to: number) => [to + (columns.strip === 0 ? STRIP_PADDING : 0) - columns.strip, () => (columns.strip = to)] as const;
  const one = (name: "base" | "name" | "ltv" | "delta" | "leverage" | "next", wide: number) => [wide, () => (columns[name] = true)] as const;
  const [shortest, short, ...longer] = STRIPS;
  const wanted = [
    ...(many ? [() => one("base", BASE)] : []),
    () => one("ltv", of("ltv")),
    () => strip(shortest),
    () => one("delta", of(many ? "deltaUnit" : "delta")),
    () => strip(short),
    () => one("leverage", of("leverage")),
    () => one("name", NAME),
    () => one("next", of("next")),
    ...longer.map((to) => () => strip(to)),
  ];
  for (const want of wanted) {
    const [wide, take] = want();
    if (wide > left) break;
    left -= wide;
    take();
  }
  // Nothing else needs it.
  if (columns.strip > 0 && !columns.name) columns.strip = Math.floor(Math.min(WITHOUT_NAME, columns.strip + left));
  return columns;
}
