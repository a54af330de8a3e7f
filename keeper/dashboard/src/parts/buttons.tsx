// Buttons that come and go with what is possible. Where the one with the focus goes, another of them takes it.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export function Buttons({ children }: { children: ComponentChildren }) {
  const box = useRef<HTMLSpanElement>(null);
  const focused = box.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    const here = box.current;
    if (focused && here && !here.contains(document.activeElement)) here.querySelector<HTMLElement>("button:enabled")?.focus();
  });
  return (
    <span class="controls" ref={box}>
      {children}
    </span>
  );
}
