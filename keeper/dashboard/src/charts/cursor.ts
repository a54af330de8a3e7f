// Reading a picture: pointer or arrow keys choose one of its points; Escape lets go.
import { useState } from "preact/hooks";
import { clamp, nearest, type Scale } from "./scale";

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

export interface CursorHandlers {
  onPointerMove: (event: PointerEvent) => void;
  onPointerLeave: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onBlur: () => void;
}

/** `from`: the point where arrow keys begin. */
export function useCursor(xs: readonly number[], x: Scale, from: number): [number | null, CursorHandlers] {
  const [at, set] = useState<number | null>(null);
  const last = xs.length - 1;
  return [
    at === null ? null : clamp(at, 0, last),
    {
      onPointerMove: (event) => {
        const box = (event.currentTarget as Element).getBoundingClientRect();
        set(nearest(xs.map(x), event.clientX - box.left));
      },
      onPointerLeave: () => set(null),
      onKeyDown: (event) => {
        const step = STEPS[event.key];
        if (step !== undefined) {
          event.preventDefault();
          set((i) => clamp((i ?? from) + step, 0, last));
        }
        if (event.key === "Escape") set(null);
      },
      onBlur: () => set(null),
    },
  ];
}
