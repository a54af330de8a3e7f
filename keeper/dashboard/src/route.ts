// Where one is: in the fragment, so that every view has an address and the back button works.
import { useEffect, useState } from "preact/hooks";

export type Route =
  | { view: "book" }
  | { view: "position"; position: string }
  | { view: "markets"; market: string | null }
  | { view: "lenders"; market: string | null }
  /** Nothing is there. */
  | { view: "unknown"; asked: string };

export function parse(hash: string): Route {
  const [view, rest] = hash.replace(/^#\/?/, "").split("/");
  const given = rest ? rest : null;
  if (view === "p" && given) return { view: "position", position: given };
  if (view === "markets") return { view: "markets", market: given };
  if (view === "lenders") return { view: "lenders", market: given };
  return view ? { view: "unknown", asked: hash } : { view: "book" };
}

export function href(route: Route): string {
  switch (route.view) {
    case "book":
    case "unknown":
      return "#/";
    case "position":
      return `#/p/${route.position}`;
    case "markets":
    case "lenders":
      return `#/${route.view}${route.market ? `/${route.market}` : ""}`;
  }
}

export function go(route: Route): void {
  location.hash = href(route);
}

/** The position that the address names now: keys come faster than frames. */
export function positionInAddress(): string | null {
  const route = parse(location.hash);
  return route.view === "position" ? route.position : null;
}

export function useRoute(): Route {
  const [route, set] = useState(() => parse(location.hash));
  useEffect(() => {
    const changed = () => set(parse(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}
