// The real keeper: `ballast keeper run` on an embedded node with real programs, positions and prices. `cargo xtask dashboard`
// builds both and names them here.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Book, Funding, History, Status } from "../../src/contract";
import type { Rig } from "./rig";

/** Programs that the tests need; `null` where they are not named. */
export function programs(): { keeper: string; world: string } | null {
  const { BALLAST_BIN: keeper, BALLAST_KEEPER_WORLD: world } = process.env;
  return keeper && world ? { keeper, world } : null;
}

interface Described {
  rpcUrl: string;
  market: string;
  /** Those that were opened; the others are copies of them. */
  positions: string[];
  /** Of all positions. */
  count: number;
  price: number;
}

const START_MS = 240_000;
/** Between two points of a position's past. */
const QUARTER_SECS = 900;
/** A past is drawn from three points on. */
const QUARTERS = 4;

export class KeeperRig implements Rig {
  private keeper: ChildProcess | null = null;
  private price: number;

  private constructor(
    readonly url: string,
    readonly described: Described,
    private readonly directory: string,
    private readonly world: ChildProcess,
    private readonly answers: AsyncIterator<string>,
    private readonly binary: string,
  ) {
    this.price = described.price;
  }

  /** With the positions that the world opens, and a hedge that has traded; or with so many in all. */
  static async start(count?: number): Promise<KeeperRig> {
    const found = programs();
    if (!found) throw new Error("BALLAST_BIN and BALLAST_KEEPER_WORLD name no programs");
    const directory = await mkdtemp(join(tmpdir(), "ballast-dashboard-"));
    const port = await freePort();
    const world = spawn(found.world, [directory, `127.0.0.1:${port}`, ...(count ? [`${count}`] : [])], { stdio: ["pipe", "pipe", "inherit"] });
    const answers = createInterface({ input: world.stdout })[Symbol.asyncIterator]();
    const described = JSON.parse(await line(answers)) as Described;
    const rig = new KeeperRig(`http://127.0.0.1:${port}/`, described, directory, world, answers, found.keeper);
    await rig.restart();
    if (!count) {
      await rig.hedged();
      await rig.past();
    }
    return rig;
  }

  async token(): Promise<string> {
    return (await readFile(join(this.directory, "journal", "api-token"), "utf8")).trim();
  }

  async kill(): Promise<void> {
    const keeper = this.keeper;
    this.keeper = null;
    if (!keeper || keeper.exitCode !== null) return;
    keeper.kill("SIGKILL");
    await once(keeper, "exit");
  }

  /** Until it knows all positions. */
  async restart(): Promise<void> {
    const keeper = spawn(this.binary, ["keeper", "run", "--config", join(this.directory, "keeper.toml")], { stdio: ["ignore", "ignore", process.env.BALLAST_SHOW_KEEPER ? "inherit" : "ignore"] });
    this.keeper = keeper;
    const end = Date.now() + START_MS;
    for (;;) {
      if (keeper.exitCode !== null) throw new Error(`the keeper ended with ${keeper.exitCode}: run with BALLAST_SHOW_KEEPER=1`);
      const status = await fetch(`${this.url}api/v1/status`)
        .then(async (answer) => (answer.ok ? ((await answer.json()) as Status) : null))
        .catch(() => null);
      if (status?.counts.positions === this.described.count) return;
      if (Date.now() > end) throw new Error(`the keeper does not answer: ${JSON.stringify(status)}`);
      await new Promise((next) => setTimeout(next, 250));
    }
  }

  /** Until the hedge has taken the venue's position to where it belongs, and its funding is known. */
  private async hedged(): Promise<void> {
    await this.until("the hedge has traded, and funding is known", async () => {
      const { hedge_pnl } = await this.read<Book>(`book?market=${this.described.market}`);
      const { past, forecast } = await this.read<Funding>(`markets/${this.described.market}/funding`);
      return Number(hedge_pnl?.fees ?? 0) !== 0 && past.length > 0 && forecast.length > 0;
    });
  }

  private async read<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.url}api/v1/${path}`)).json()) as T;
  }

  private async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + START_MS;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`not within ${START_MS / 1000} s: ${what}`);
      await new Promise((next) => setTimeout(next, 250));
    }
  }

  /** Until the keeper has points of every position's past. The chain's clock goes on by quarters of an hour, and the price with it. */
  private async past(): Promise<void> {
    for (let quarter = 1; quarter <= QUARTERS; quarter++) {
      await this.pass(QUARTER_SECS);
      await this.move(this.described.price * (1 + (quarter % 2 === 0 ? 0.001 : -0.001) * quarter));
      const kept = async (position: string) => (await this.read<History>(`positions/${position}/history`)).rows.length > quarter;
      await this.until(`${quarter + 1} points of the past`, async () => (await Promise.all(this.described.positions.map(kept))).every(Boolean));
    }
  }

  /** The chain's clock goes on. */
  async pass(secs: number): Promise<void> {
    const clock = async () => {
      const { value } = await this.rpc<{ value: { data: { parsed: { info: { unixTimestamp: number } } } } }>("getAccountInfo", ["SysvarC1ock11111111111111111111111111111111", { encoding: "jsonParsed" }]);
      return value.data.parsed.info.unixTimestamp;
    };
    const to = (await clock()) + secs;
    await this.rpc("surfnet_timeTravel", [{ absoluteTimestamp: to * 1000 }]);
    if ((await clock()) < to) throw new Error(`the chain's clock stands before ${to}`);
  }

  async stall(on: boolean): Promise<void> {
    this.keeper?.kill(on ? "SIGSTOP" : "SIGCONT");
  }

  /** The node falls silent, on connections that stay open. */
  async blind(on: boolean): Promise<void> {
    this.world.kill(on ? "SIGSTOP" : "SIGCONT");
  }

  nudge(): Promise<void> {
    return this.move(this.price > this.described.price ? this.described.price * 0.999 : this.described.price * 1.001);
  }

  /** Out of every hedge's band. */
  makeDue(): Promise<void> {
    return this.move(this.price > this.described.price ? this.described.price * 0.975 : this.described.price * 1.03);
  }

  /** Pool and oracle go to a price. */
  async move(dollars: number): Promise<void> {
    this.price = dollars;
    this.world.stdin?.write(`${dollars}\n`);
    await line(this.answers);
  }

  /** What the node says. */
  async rpc<T>(method: string, params: unknown[]): Promise<T> {
    const answer = await fetch(this.described.rpcUrl, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
    const { result, error } = (await answer.json()) as { result: T; error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** An account's bytes on chain. */
  async bytes(address: string): Promise<string> {
    const { value } = await this.rpc<{ value: { data: [string, string] } }>("getAccountInfo", [address, { encoding: "base64", commitment: "confirmed" }]);
    return value.data[0];
  }

  async close(): Promise<void> {
    await this.kill();
    if (this.world.exitCode === null) {
      this.world.kill("SIGCONT");
      this.world.stdin?.end();
      const killed = setTimeout(() => this.world.kill("SIGKILL"), 10_000);
      await once(this.world, "exit");
      clearTimeout(killed);
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function line(answers: AsyncIterator<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error(`no answer in ${START_MS / 1000} s`)), START_MS);
  });
  try {
    const next = await Promise.race([answers.next(), late]);
    if (next.done) throw new Error("the world has ended");
    return next.value;
  } finally {
    clearTimeout(timer);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
