/**
 * A market with a position on a validator of its own: the program `world` (crates/localnet/examples), which ends, validator
 * and all, when its input does.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { address, createKeyPairSignerFromBytes, type Address, type KeyPairSigner } from '@solana/kit';

/** The validator starts and some thirty transactions are confirmed; on a busy machine that takes minutes. */
const START_TIMEOUT_MS = 240_000;
const ORDER_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** What the program prints. Large integers are strings there. */
interface Description {
  rpcUrl: string;
  wsUrl: string;
  market: string;
  basePrice: string;
  quotePrice: string;
  lookupTable: string;
  authority: string;
  owner: number[];
  visitor: number[];
  visitorFunds: { base: string; quote: string };
  lent: { base: string; quote: string };
  position: {
    address: string;
    id: string;
    tickLower: number;
    tickUpper: number;
    liquidity: string;
    baseDebtShares: string;
    quoteDebtShares: string;
    assets: string;
    debt: string;
  };
  oracleSqrtPriceX64: string;
}

export class World {
  private constructor(
    private readonly process: ChildProcessByStdio<Writable, Readable, null>,
    private readonly lines: AsyncIterator<string>,
    /** As the Rust side sees it. */
    readonly described: Description,
    /** Owner of the position. */
    readonly owner: KeyPairSigner,
    /** Somebody with tokens and SOL. */
    readonly visitor: KeyPairSigner,
  ) {}

  static async start(): Promise<World> {
    const program = process.env['BALLAST_WORLD'];
    if (program === undefined) {
      throw new Error(
        'BALLAST_WORLD is not set: `cargo xtask test` sets it to the built example `world` of ballast-localnet; ' +
          'BALLAST_NO_VALIDATOR=1 leaves out what needs it',
      );
    }
    const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    try {
      await once(child, 'spawn');
      const described = (await nextLine(lines, START_TIMEOUT_MS, 'setting up the market')) as Description;
      const key = (bytes: number[]) => createKeyPairSignerFromBytes(Uint8Array.from(bytes));
      const [owner, visitor] = await Promise.all([key(described.owner), key(described.visitor)]);
      return new World(child, lines, described, owner, visitor);
    } catch (error) {
      await stop(child);
      throw error;
    }
  }

  get market(): Address {
    return address(this.described.market);
  }

  get position(): Address {
    return address(this.described.position.address);
  }

  /** Accounts that the market's prices are in. */
  get prices() {
    return { basePrice: address(this.described.basePrice), quotePrice: address(this.described.quotePrice) };
  }

  /** Posts a price of base, published now. */
  async post(dollars: number): Promise<void> {
    this.process.stdin.write(`${dollars}\n`);
    await nextLine(this.lines, ORDER_TIMEOUT_MS, 'posting a price');
  }

  async stop(): Promise<void> {
    await stop(this.process);
  }
}

async function nextLine(lines: AsyncIterator<string>, timeoutMs: number, what: string): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes longer than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    const line = await Promise.race([lines.next(), timeout]);
    if (line.done === true) {
      throw new Error(`${what} failed; see above`);
    }
    return JSON.parse(line.value);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the program by the end of its input, or else kills it; its validator ends in both cases. */
async function stop(child: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.stdin.end();
  await exited;
  clearTimeout(timer);
}
