// What the page tells people to type. All of it stands in one list, which the command line's own tests read: what it would refuse
// fails there. Capitals stand for what is filled in; what is in brackets goes where there is nothing to fill in.
import list from "./commands.json";

export type CommandName = keyof typeof list;
export type Filled = Partial<Record<"MARKET" | "POSITION" | "REASON" | "URL", string | null | undefined>>;

/** The keeper's names of clusters that the command line knows; another has an address that this page does not know. */
const CLUSTERS = ["mainnet", "devnet", "testnet"];

export function command(name: CommandName, filled: Filled = {}): string {
  const given = (word: string) => filled[word as keyof Filled] || null;
  return list[name]
    .replace(/ \[([^\]]+)\]/g, (_, part: string) => (words(part).every(given) ? ` ${part}` : ""))
    .replace(WORD, (word) => quoted(given(word) ?? word));
}

export function clusterUrl(cluster: string | undefined): string | null {
  return CLUSTERS.find((known) => known === cluster) ?? null;
}

const WORD = /\b[A-Z]{3,}\b/g;

function words(part: string): string[] {
  return part.match(WORD) ?? [];
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
