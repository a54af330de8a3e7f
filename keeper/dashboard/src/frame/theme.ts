// Light, dark, or as the system says.
import { useEffect } from "preact/hooks";
import { useSetting } from "../live/setting";

const THEMES = ["auto", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

export function useTheme(): [Theme, () => void] {
  const [theme, set] = useSetting<Theme>("theme", THEMES, "auto");
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [theme, () => set(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto")];
}
