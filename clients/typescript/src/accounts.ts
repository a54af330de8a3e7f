/**
 * Accounts of instructions, in groups under the names that the generated code gives them. Spread the groups that an
 * instruction may want into its input; it takes what it needs:
 *
 *     getSetPolicyInstruction({ ...await marketAccounts(market, prices), ...await positionAccounts(market, position), owner, policy })
 */
import { TOKEN_PROGRAM_ADDRESS } from '@solana-program/token';
import type { Account, Address, ReadonlyUint8Array } from '@solana/kit';

import {
  ASSOCIATED_TOKEN_PROGRAM,
  findIdleAddress,
  findPositionAddress,
  findSwapTickArrayAddresses,
  findTickArrayAddress,
  findWalletAddress,
  findWhirlpoolOracleAddress,
  findWhirlpoolPositionAddress,
  MEMO_PROGRAM,
  METADATA_UPDATE_AUTHORITY,
  TOKEN_2022_PROGRAM,
} from './addresses.js';
import { findNftMintPda, findVaultPda, type Market, type Position, type Reserve } from './generated/index.js';

/** What a market does not store. */
export interface MarketSources {
  /** Account with the price of base. */
  basePrice: Address;
  /** Account with the price of quote. */
  quotePrice: Address;
  /** Program that owns the base mint; SPL Token when left out. */
  baseTokenProgram?: Address;
  /** Program that owns the quote mint; SPL Token when left out. */
  quoteTokenProgram?: Address;
}

/** A market, its pool, its reserves, its prices, and programs. */
export async function marketAccounts(market: Account<Market>, sources: MarketSources) {
  const { baseReserve, quoteReserve, whirlpool, whirlpoolProgram } = market.data;
  const [[baseVault], [quoteVault], whirlpoolOracle] = await Promise.all([
    findVaultPda({ reserve: baseReserve }),
    findVaultPda({ reserve: quoteReserve }),
    findWhirlpoolOracleAddress(whirlpoolProgram, whirlpool),
  ]);
  return {
    market: market.address,
    baseReserve,
    quoteReserve,
    baseVault,
    quoteVault,
    baseMint: market.data.baseMint,
    quoteMint: market.data.quoteMint,
    whirlpoolProgram,
    whirlpool,
    whirlpoolOracle,
    poolBaseVault: market.data.poolBaseVault,
    poolQuoteVault: market.data.poolQuoteVault,
    baseTokenProgram: TOKEN_PROGRAM_ADDRESS as Address,
    quoteTokenProgram: TOKEN_PROGRAM_ADDRESS as Address,
    ...sources,
    memoProgram: MEMO_PROGRAM,
    token2022Program: TOKEN_2022_PROGRAM,
    associatedTokenProgram: ASSOCIATED_TOKEN_PROGRAM,
    metadataUpdateAuthority: METADATA_UPDATE_AUTHORITY,
  };
}

/** A position's own accounts, and the tick arrays of its range. */
export async function positionAccounts(market: Account<Market>, position: Account<Position>) {
  const { nftMint, nftAccount, whirlpoolPosition, baseAccount, quoteAccount } = position.data;
  return {
    position: position.address,
    nftMint,
    nftAccount,
    whirlpoolPosition,
    baseAccount,
    quoteAccount,
    ...(await rangeAccounts(market, position.data)),
  };
}

/** The same of a position that is to be opened. */
export async function newPositionAccounts(
  market: Account<Market>,
  args: { creator: Address; id: number | bigint; tickLower: number; tickUpper: number },
) {
  const { baseMint, quoteMint, whirlpoolProgram } = market.data;
  const position = await findPositionAddress({ market: market.address, creator: args.creator, id: args.id });
  const [nftMint] = await findNftMintPda({ position });
  const [nftAccount, whirlpoolPosition, baseAccount, quoteAccount, range] = await Promise.all([
    findWalletAddress({ owner: position, mint: nftMint, tokenProgram: TOKEN_2022_PROGRAM }),
    findWhirlpoolPositionAddress(whirlpoolProgram, nftMint),
    findIdleAddress({ position, mint: baseMint }),
    findIdleAddress({ position, mint: quoteMint }),
    rangeAccounts(market, args),
  ]);
  return { position, nftMint, nftAccount, whirlpoolPosition, baseAccount, quoteAccount, ...range };
}

/** The tick arrays of a range. */
export async function rangeAccounts(market: Account<Market>, range: { tickLower: number; tickUpper: number }) {
  const [tickArrayLower, tickArrayUpper] = await Promise.all([
    findTickArrayAddress(market.data, range.tickLower),
    findTickArrayAddress(market.data, range.tickUpper),
  ]);
  return { tickArrayLower, tickArrayUpper };
}

/** The tick arrays of the range that a position is moved to. */
export async function newRangeAccounts(market: Account<Market>, range: { tickLower: number; tickUpper: number }) {
  const { tickArrayLower, tickArrayUpper } = await rangeAccounts(market, range);
  return { newRangeTickArrayLower: tickArrayLower, newRangeTickArrayUpper: tickArrayUpper };
}

/** The tick arrays of a swap that begins at the pool's current tick, see {@link readTickCurrent}. */
export async function swapAccounts(
  market: Account<Market>,
  tickCurrent: number,
  direction: 'sellBase' | 'buyBase',
) {
  const [tickArray0, tickArray1, tickArray2] = await findSwapTickArrayAddresses(market.data, tickCurrent, direction);
  return { tickArray0, tickArray1, tickArray2 };
}

const TICK_CURRENT_OFFSET = 81;

/** The current tick in a Whirlpool account. */
export function readTickCurrent(whirlpool: ReadonlyUint8Array): number {
  const view = new DataView(whirlpool.buffer, whirlpool.byteOffset, whirlpool.byteLength);
  return view.getInt32(TICK_CURRENT_OFFSET, true);
}

/** An owner's associated token accounts of both tokens. */
export async function walletAccounts(owner: Address, market: Account<Market>, sources?: Partial<MarketSources>) {
  const { baseTokenProgram = TOKEN_PROGRAM_ADDRESS, quoteTokenProgram = TOKEN_PROGRAM_ADDRESS } = sources ?? {};
  const [walletBase, walletQuote] = await Promise.all([
    findWalletAddress({ owner, mint: market.data.baseMint, tokenProgram: baseTokenProgram }),
    findWalletAddress({ owner, mint: market.data.quoteMint, tokenProgram: quoteTokenProgram }),
  ]);
  return { walletBase, walletQuote };
}

/** A reserve, and a lender's associated accounts of its token and its shares. */
export async function lendingAccounts(
  reserve: Account<Reserve>,
  lender: Address,
  tokenProgram: Address = TOKEN_PROGRAM_ADDRESS,
) {
  const { vault, mint, shareMint } = reserve.data;
  const [walletTokens, walletShares] = await Promise.all([
    findWalletAddress({ owner: lender, mint, tokenProgram }),
    findWalletAddress({ owner: lender, mint: shareMint, tokenProgram: TOKEN_PROGRAM_ADDRESS }),
  ]);
  return { reserve: reserve.address, vault, mint, shareMint, walletTokens, walletShares, tokenProgram };
}
