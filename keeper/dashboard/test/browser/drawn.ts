// What a picture draws, read back from its shapes: where each stands, and which value that is on the picture's own scale.
import type { Page } from "playwright-core";
import { difference, type Said } from "./said";
import type { Place } from "./seen";

type Point = readonly [x: number, y: number];
type Ends = readonly [from: number, to: number, start: number, end: number];

export interface Shape {
  /** As CSS names it, with the group around it: `g.mark > line`. */
  key: string;
  /** Of a line its ends, of a box its upper left and its lower right corner, of a path every point. */
  points: Point[];
  text: string;
  /** Which value a tick stands for. */
  at: number | null;
}

export interface Drawing {
  x: Ends | null;
  y: Ends | null;
  width: number;
  height: number;
  /** What is read aloud. */
  label: string | null;
  shapes: Shape[];
}

/** Every picture at a place, in the order of the page. */
export function draw(page: Page, place: Place): Promise<Drawing[]> {
  return page.evaluate(({ panel, css }) => {
    const roots = panel === undefined ? [document.body] : [...document.querySelectorAll(".panel")].filter((p) => p.querySelector(".head h2, .head h3")?.textContent?.startsWith(panel));
    const name = (e: Element) => [e.tagName.toLowerCase(), ...e.classList].join(".");
    const number = (e: Element, attribute: string) => Number(e.getAttribute(attribute) ?? 0);
    const ends = (text: string | undefined) => (text === undefined ? null : (text.split(" ").map(Number) as [number, number, number, number]));
    const points = (e: Element): [number, number][] => {
      const [x, y] = [number(e, "x"), number(e, "y")];
      switch (e.tagName.toLowerCase()) {
        case "line":
          return [[number(e, "x1"), number(e, "y1")], [number(e, "x2"), number(e, "y2")]];
        case "rect":
          return [[x, y], [x + number(e, "width"), y + number(e, "height")]];
        case "circle":
          return [[number(e, "cx"), number(e, "cy")]];
        case "path":
          return [...(e.getAttribute("d") ?? "").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map((found) => [Number(found[1]), Number(found[2])]);
        default:
          return [[x, y]];
      }
    };
    return roots
      .flatMap((root) => [...root.querySelectorAll<SVGSVGElement>(css)])
      .filter((svg) => svg.checkVisibility())
      .map((svg) => ({
        x: ends(svg.dataset.x),
        y: ends(svg.dataset.y),
        width: number(svg, "width"),
        height: number(svg, "height"),
        label: svg.getAttribute("aria-label"),
        shapes: [...svg.querySelectorAll("path, line, rect, circle, text")]
          .filter((e) => !e.closest("defs"))
          .map((e) => {
            const group = e.parentElement as Element | null;
            const at = e.getAttribute("data-at");
            return { key: group?.tagName === "g" && group.classList.length > 0 ? `${name(group)} > ${name(e)}` : name(e), points: points(e), text: e.textContent ?? "", at: at === null ? null : Number(at) };
          }),
      }));
  }, place);
}

/** Coordinates are written with one place. */
const ROUNDED = 0.051;
/** Half of a letter, at most. */
const HALF_LETTER = 4;

/** Compares a drawing, shape by shape; what nothing has asked for is told at the end. */
export class Reading {
  private readonly wrong: string[] = [];
  private readonly left: Set<Shape>;

  constructor(
    private readonly what: string,
    private readonly of: Drawing,
  ) {
    this.left = new Set(of.shapes);
  }

  /** Between which values the picture goes, from left to right. */
  get domain(): readonly [number, number] {
    const [from, to] = this.of.x ?? [0, 1];
    return [from, to];
  }
  /** From bottom to top. */
  get range(): readonly [number, number] {
    const [from, to] = this.of.y ?? [0, 1];
    return [from, to];
  }
  x(value: number): number {
    return place(this.of.x, value);
  }
  y(value: number): number {
    return place(this.of.y, value);
  }

  /** Shapes of a name, once. */
  take(key: string): Shape[] {
    const found = [...this.left].filter((shape) => shape.key === key);
    for (const shape of found) this.left.delete(shape);
    return found;
  }

  holds(holds: boolean, otherwise: string): void {
    if (!holds) this.wrong.push(`${this.what}: ${otherwise}`);
  }

  /** One shape of this name, with these values at its points; `null`: none. */
  values(key: string, wanted: readonly Point[] | null): void {
    this.pixels(key, wanted === null ? null : wanted.map(([x, y]) => [this.x(x), this.y(y)] as const));
  }

  /** The same in the picture's own coordinates; NaN: wherever. */
  pixels(key: string, wanted: readonly Point[] | null, slack = ROUNDED): void {
    const found = this.take(key);
    const expected = wanted === null ? 0 : 1;
    this.holds(found.length === expected, `${found.length} of ${key}, ${expected} expected`);
    if (found[0] && wanted) this.shape(found[0], wanted, slack);
  }

  /** As many shapes of this name as places, in the order of the page. */
  each(key: string, wanted: readonly (readonly Point[])[], slack = ROUNDED): void {
    const found = this.take(key);
    this.holds(found.length === wanted.length, `${found.length} of ${key}, ${wanted.length} expected`);
    if (found.length === wanted.length) found.forEach((shape, i) => this.shape(shape, wanted[i] ?? [], slack));
  }

  private shape(shape: Shape, wanted: readonly Point[], slack: number): void {
    this.holds(shape.points.length === wanted.length, `${shape.key} has ${shape.points.length} points, ${wanted.length} expected`);
    const off = wanted.findIndex(([x, y], i) => {
      const [at, high] = shape.points[i] ?? [NaN, NaN];
      return !(Number.isNaN(x) || Math.abs(at - x) <= slack) || !(Number.isNaN(y) || Math.abs(high - y) <= slack);
    });
    this.holds(off < 0, `${shape.key}, point ${off} of ${wanted.length}, is at ${shape.points[off]}, ${wanted[off]} expected`);
  }

  /** A vertical line through the whole picture, at a value. */
  vertical(key: string, at: number): void {
    this.pixels(key, [[this.x(at), NaN], [this.x(at), NaN]]);
  }

  /** Texts along both axes stand where their value is, and say it; `said`: a value as the axis has to say it. */
  axes(x: (value: number) => Said, y: (value: number) => Said, lines = ["line.grid", "line.axis"]): void {
    const ticks = this.take("text.tick");
    const grid = lines.flatMap((key) => this.take(key));
    const [, , start, end] = this.of.x ?? [0, 1, 0, 0];
    const beside = ticks.filter((tick) => (tick.points[0]?.[0] ?? 0) < start);
    const below = ticks.filter((tick) => !beside.includes(tick));
    this.holds(beside.length >= 2 && below.length >= 2, `${beside.length} ticks upwards and ${below.length} along, two of each are the least that says a scale`);
    this.holds(grid.length === beside.length, `${grid.length} lines for ${beside.length} ticks`);
    for (const { at, text, points } of beside) {
      const height = points[0]?.[1] ?? NaN;
      this.holds(at !== null && Math.abs(this.y(at) + 4 - height) <= ROUNDED, `the tick ${text} stands at ${height}, not where ${at} is`);
      this.holds(grid.some((line) => line.points.every(([, h]) => Math.abs(h + 4 - height) <= ROUNDED)), `the tick ${text} has no line`);
      this.says(text, y(at ?? NaN));
    }
    for (const these of [beside, below]) {
      const said = these.map((tick) => tick.text);
      // An hour may come again where a day stands between.
      const again = said.some((text, i) => said.slice(0, i).includes(text) && !said.slice(said.lastIndexOf(text, i - 1), i).some((between) => /^\d\d-\d\d$/.test(between)));
      this.holds(!again, `two ticks say the same: ${said.join(", ")}`);
    }
    for (const { at, text, points } of below) {
      const along = points[0]?.[0] ?? NaN;
      // Where it would be cut off it stands further in.
      const slack = this.x(at ?? NaN) < start + 40 || this.x(at ?? NaN) > end - 40 ? text.length * HALF_LETTER : ROUNDED;
      this.holds(at !== null && Math.abs(this.x(at) - along) <= slack, `the tick ${text} stands at ${along}, not where ${at} is`);
      this.says(text, x(at ?? NaN));
    }
  }

  /** What is read aloud. */
  aloud(said: Said): void {
    this.says(this.of.label ?? "", said);
  }

  says(text: string, said: Said): void {
    const found = difference(text, said);
    if (found !== null) this.wrong.push(`${this.what}: ${found}`);
  }

  /** All that differs. */
  done(): string[] {
    const left = [...this.left].map((shape) => `${this.what}: nothing compares ${shape.key} ${shape.text}`);
    return [...this.wrong, ...left];
  }
}

function place(ends: Ends | null, value: number): number {
  const [from, to, start, end] = ends ?? [NaN, NaN, NaN, NaN];
  return start + ((value - from) / (to - from || 1)) * (end - start);
}
