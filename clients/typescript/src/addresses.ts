/** Addresses that the generated code does not derive: those whose seeds the IDL cannot name, and the Whirlpool program's. */
import { findAssociatedTokenPda } from '@solana-program/token';
import {
  address,
  getAddressEncoder,
  getProgramDerivedAddress,
  getU64Encoder,
  type Address,
  type ReadonlyUint8Array,
} from '@solana/kit';

import { BALLAST_PROGRAM_ADDRESS } from './generated/index.js';

export const TOKEN_2022_PROGRAM = address('TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb');
export const ASSOCIATED_TOKEN_PROGRAM = address('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL');
export const MEMO_PROGRAM = address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr');
/** Orca's authority over the metadata of position NFTs, the same on every cluster. */
export const METADATA_UPDATE_AUTHORITY = address('3axbTs2z5GBy6usVbNVoqEgZMng3vZvMnAoX29BFfwhr');

const TICKS_PER_ARRAY = 88;
const MAX_TICK = 443_636;

async function find(programAddress: Address, seeds: (string | ReadonlyUint8Array)[]): Promise<Address> {
  const [found] = await getProgramDerivedAddress({ programAddress, seeds });
  return found;
}

const bytes = (key: Address) => getAddressEncoder().encode(key);

/** The position that `creator` opened in a market under the number `id`. */
export function findPositionAddress(seeds: {
  market: Address;
  creator: Address;
  id: number | bigint;
}): Promise<Address> {
  const { market, creator, id } = seeds;
  return find(BALLAST_PROGRAM_ADDRESS, ['position', bytes(market), bytes(creator), getU64Encoder().encode(id)]);
}

/** A position's token account for idle tokens of one mint. */
export function findIdleAddress(seeds: { position: Address; mint: Address }): Promise<Address> {
  return find(BALLAST_PROGRAM_ADDRESS, ['tokens', bytes(seeds.position), bytes(seeds.mint)]);
}

/** An owner's associated token account. */
export async function findWalletAddress(seeds: {
  owner: Address;
  mint: Address;
  tokenProgram: Address;
}): Promise<Address> {
  const [found] = await findAssociatedTokenPda(seeds);
  return found;
}

/** The Whirlpool position that belongs to an NFT. */
export function findWhirlpoolPositionAddress(whirlpoolProgram: Address, nftMint: Address): Promise<Address> {
  return find(whirlpoolProgram, ['position', bytes(nftMint)]);
}

/** A pool's adaptive-fee oracle. Swaps want its address whether or not the account exists. */
export function findWhirlpoolOracleAddress(whirlpoolProgram: Address, whirlpool: Address): Promise<Address> {
  return find(whirlpoolProgram, ['oracle', bytes(whirlpool)]);
}

/** Where a pool's tick arrays are derived from. */
export interface Pool {
  whirlpoolProgram: Address;
  whirlpool: Address;
  tickSpacing: number;
}

/** The pool's tick array that holds a tick. */
export function findTickArrayAddress(pool: Pool, tick: number): Promise<Address> {
  return arrayAt(pool, arrayStart(pool, tick));
}

/**
 * The three arrays that a swap from the pool's current tick may walk through. At the end of the price range the last one
 * repeats.
 */
export function findSwapTickArrayAddresses(
  pool: Pool,
  tickCurrent: number,
  direction: 'sellBase' | 'buyBase',
): Promise<[Address, Address, Address]> {
  const [first, last] = [arrayStart(pool, -MAX_TICK), arrayStart(pool, MAX_TICK)];
  const step = arrayWidth(pool) * (direction === 'sellBase' ? -1 : 1);
  // Upwards the next tick to look at lies after the current one, maybe in the following array.
  const from = arrayStart(pool, direction === 'sellBase' ? tickCurrent : tickCurrent + pool.tickSpacing);
  const array = (number: number) => arrayAt(pool, Math.min(Math.max(from + number * step, first), last));
  return Promise.all([array(0), array(1), array(2)]);
}

const arrayWidth = (pool: Pool) => TICKS_PER_ARRAY * pool.tickSpacing;

const arrayStart = (pool: Pool, tick: number) => Math.floor(tick / arrayWidth(pool)) * arrayWidth(pool);

const arrayAt = (pool: Pool, start: number) =>
  find(pool.whirlpoolProgram, ['tick_array', bytes(pool.whirlpool), start.toString()]);
