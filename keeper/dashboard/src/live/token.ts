// The token arrives in the fragment, which no server, log or referrer sees, and leaves the address bar at once. It stays until
// the tab closes.
const KEY = "ballast-token";

export function takeFromAddress(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  keepToken(given);
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
}

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keepToken(value: string): void {
  sessionStorage.setItem(KEY, value.trim());
}

export function dropToken(): void {
  sessionStorage.removeItem(KEY);
}
