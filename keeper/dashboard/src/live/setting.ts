// What a person chose, kept in this browser.
import { useState } from "preact/hooks";

export function useSetting<T extends string>(name: string, allowed: readonly T[], initial: T): [T, (value: T) => void] {
  const key = `ballast-${name}`;
  const [value, set] = useState<T>(() => {
    const kept = localStorage.getItem(key);
    return allowed.find((one) => one === kept) ?? initial;
  });
  const keep = (chosen: T) => {
    localStorage.setItem(key, chosen);
    set(chosen);
  };
  return [value, keep];
}
