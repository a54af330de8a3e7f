// Keys for the whole page. Not while something is typed, and never with a modifier: those belong to the browser.
import { useEffect } from "preact/hooks";

export function useKeys(pressed: (key: string, event: KeyboardEvent) => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as Element | null;
      if (event.ctrlKey || event.metaKey || event.altKey || target?.closest?.("input, textarea, select, dialog")) return;
      pressed(event.key, event);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}
