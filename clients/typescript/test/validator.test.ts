/** The client against the program on a validator: what it decodes, what it sends, what it is refused. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import {
  fetchToken,
  getCreateAssociatedTokenIdempotentInstructionAsync,
  TOKEN_PROGRAM_ADDRESS,
} from '@solana-program/token';
import {
  fetchEncodedAccount,
  getBase58Decoder,
  type Address,
  type Base58EncodedBytes,
  type ReadonlyUint8Array,
} from '@solana/kit';
import { fetchSysvarClock } from '@solana/sysvars';

import {
  BALLAST_ERROR__NOT_OWNER,
  BALLAST_PROGRAM_ADDRESS,
  fetchHealth,
  fetchMarket,
  fetchPosition,
  fetchReserve,
  findPositionAddress,
  findMarketPda,
  findRefusal,
  findReservePda,
  findShareMintPda,
  getAccrueInstruction,
  getDepositInstruction,
  getMarketCodec,
  getMarketSize,
  getOpenInstructionAsync,
  getPositionCodec,
  getPositionSize,
  getRefreshPriceInstruction,
  getReserveCodec,
  getReserveSize,
  getSetPolicyInstruction,
  getWithdrawInstruction,
  HealthError,
  lendingAccounts,
  marketAccounts,
  newPositionAccounts,
  POSITION_DISCRIMINATOR,
  positionAccounts,
  readTickCurrent,
  swapAccounts,
  walletAccounts,
  type Refusal,
  type Reserve,
} from '../src/index.js';
import { Sender } from './sender.js';
import { World } from './world.js';

const skip = process.env['BALLAST_NO_VALIDATOR'] !== undefined && 'BALLAST_NO_VALIDATOR leaves out what needs a validator';

/** Of the lending arithmetic: shares and assets that nobody owns, against the attack of a first depositor. */
const VIRTUAL_SHARES = 1_000n;
const VIRTUAL_ASSETS = 1n;

const ceilDiv = (dividend: bigint, divisor: bigint) => (dividend + divisor - 1n) / divisor;

/** A debt share is worth the index in units of 2^-32 of a raw unit. */
const debtUp = ({ debtShares, borrowIndexX64 }: Reserve) => ceilDiv(debtShares * borrowIndexX64, 1n << 96n);

const totalAssets = (reserve: Reserve) => reserve.liquidity + debtUp(reserve) - reserve.insurance;

/** The price that a square-root price of this pool is, in dollars. */
const dollars = (sqrtPriceX64: bigint) => (Number(sqrtPriceX64) / 2 ** 64) ** 2 * 1_000;

/** Where a fully verified price account has its publish time. */
const PUBLISH_TIME_OFFSET = 93;

describe('the client on a validator', { skip, timeout: 600_000 }, () => {
  let world: World;
  let sender: Sender;

  before(async () => {
    world = await World.start();
    const { rpcUrl, wsUrl, lookupTable } = world.described;
    sender = await Sender.connect(rpcUrl, wsUrl, lookupTable as Address);
  });

  after(async () => {
    await world?.stop();
  });

  const confirmed = { commitment: 'confirmed' } as const;
  const market = () => fetchMarket(sender.rpc, world.market, confirmed);
  const position = (address = world.position) => fetchPosition(sender.rpc, address, confirmed);
  const reserve = async (side: 'base' | 'quote') => {
    const { data } = await market();
    return fetchReserve(sender.rpc, side === 'base' ? data.baseReserve : data.quoteReserve, confirmed);
  };
  const balance = async (account: Address) => (await fetchToken(sender.rpc, account, confirmed)).data.amount;

  /** Accounts of everything that is done with a position. */
  const accountsOf = async (address = world.position) => {
    const held = await market();
    const stored = await position(address);
    return {
      ...(await marketAccounts(held, world.prices)),
      ...(await positionAccounts(held, stored)),
      ...(await walletAccounts(stored.data.owner, held)),
    };
  };

  const health = async (address = world.position) =>
    fetchHealth(sender.rpc, await accountsOf(address), world.visitor.address);

  /** What refuses to do something; fails if it is done, or fails otherwise. */
  const refusalOf = async (action: Promise<unknown>): Promise<Refusal> => {
    const error = await action.then(
      () => assert.fail('it was not refused'),
      (reason: unknown) => reason,
    );
    const refusal = findRefusal(error);
    assert.ok(refusal !== undefined, `no program refused: ${String(error)}`);
    return refusal;
  };

  it('finds and decodes market, reserves and position', async () => {
    const { described } = world;
    const held = await market();
    const stored = await position();
    const [base, quote] = [await reserve('base'), await reserve('quote')];

    const [marketAddress] = await findMarketPda({
      authority: described.authority as Address,
      whirlpool: held.data.whirlpool,
    });
    assert.equal(marketAddress, world.market);
    assert.equal(held.data.authority, described.authority);
    assert.equal(held.data.creator, described.authority);
    assert.equal(held.data.openPositions, 1n);
    assert.deepEqual([held.data.baseDecimals, held.data.quoteDecimals], [9, 6]);

    for (const [side, found, mint] of [
      ['base', base, held.data.baseMint],
      ['quote', quote, held.data.quoteMint],
    ] as const) {
      const [reserveAddress] = await findReservePda({ market: world.market, mint });
      const [shareMint] = await findShareMintPda({ reserve: reserveAddress });
      assert.equal(found.address, reserveAddress);
      assert.equal(found.data.market, world.market);
      assert.equal(found.data.mint, mint);
      assert.equal(found.data.shareMint, shareMint);
      // Nothing is lost: what is not in the vault is owed.
      assert.equal(await balance(found.data.vault), found.data.liquidity);
      assert.equal(found.data.liquidity + debtUp(found.data), BigInt(described.lent[side]));
    }

    const { data } = stored;
    const seeds = { market: world.market, creator: world.owner.address, id: BigInt(described.position.id) };
    assert.equal(await findPositionAddress(seeds), world.position);
    assert.equal(data.owner, world.owner.address);
    assert.equal(data.market, world.market);
    assert.deepEqual(
      {
        tickLower: data.tickLower,
        tickUpper: data.tickUpper,
        liquidity: data.liquidity.toString(),
        baseDebtShares: data.baseDebtShares.toString(),
        quoteDebtShares: data.quoteDebtShares.toString(),
      },
      {
        tickLower: described.position.tickLower,
        tickUpper: described.position.tickUpper,
        liquidity: described.position.liquidity,
        baseDebtShares: described.position.baseDebtShares,
        quoteDebtShares: described.position.quoteDebtShares,
      },
    );
    // The only position: what the reserves are owed it owes.
    assert.equal(base.data.debtShares, data.baseDebtShares);
    assert.equal(quote.data.debtShares, data.quoteDebtShares);
    assert.equal(data.entry.ownQuote, 100_000_000n);
    assert.equal(data.entry.sqrtPriceX64, BigInt(described.oracleSqrtPriceX64));
    // Stored and derived: the addresses of a position that exists are those of one that is to be opened.
    const { id, tickLower, tickUpper, creator } = data;
    assert.deepEqual(
      await newPositionAccounts(held, { creator, id, tickLower, tickUpper }),
      await positionAccounts(held, stored),
    );
  });

  it('knows every byte of the accounts', async () => {
    const { data } = await market();
    const again = <T>(codec: { decode(bytes: ReadonlyUint8Array): T; encode(value: T): ReadonlyUint8Array }) => {
      return (bytes: ReadonlyUint8Array) => codec.encode(codec.decode(bytes));
    };
    const cases = [
      [world.market, getMarketSize(), again(getMarketCodec())],
      [data.baseReserve, getReserveSize(), again(getReserveCodec())],
      [data.quoteReserve, getReserveSize(), again(getReserveCodec())],
      [world.position, getPositionSize(), again(getPositionCodec())],
    ] as const;
    for (const [address, size, recode] of cases) {
      const account = await fetchEncodedAccount(sender.rpc, address, confirmed);
      assert.ok(account.exists);
      assert.equal(account.data.length, size);
      assert.deepEqual(recode(account.data), account.data);
    }
  });

  it('reads the health that the program computes', async () => {
    await world.post(200);
    const { described } = world;
    const found = await health();
    // Assets do not change with time at one price; debts may by the interest of minutes on 200 dollars.
    assert.equal(found.assets, BigInt(described.position.assets));
    const interest = found.debt - BigInt(described.position.debt);
    assert.ok(interest >= 0n && interest <= 2n, `debt ${found.debt}`);
    assert.equal(found.equity, found.assets - found.debt);
    assert.equal(found.ltvBps, Number(ceilDiv(found.debt * 10_000n, found.assets)));
    assert.equal(found.sqrtPriceX64, BigInt(described.oracleSqrtPriceX64));
  });

  it('shows the market a newer price', async () => {
    const earlier = (await market()).data.lastBasePublishSecs;
    await waitForClock(earlier + 1n);
    await world.post(201);
    const accounts = await accountsOf();
    await sender.send(world.visitor, [getRefreshPriceInstruction(accounts)]);
    const { data } = await market();
    for (const [account, last] of [
      [accounts.basePrice, data.lastBasePublishSecs],
      [accounts.quotePrice, data.lastQuotePublishSecs],
    ] as const) {
      const price = await fetchEncodedAccount(sender.rpc, account, confirmed);
      assert.ok(price.exists);
      const view = new DataView(price.data.buffer, price.data.byteOffset, price.data.byteLength);
      assert.equal(last, view.getBigInt64(PUBLISH_TIME_OFFSET, true));
    }
    assert.ok(data.lastBasePublishSecs > earlier);

    const found = await health();
    assert.ok(Math.abs(dollars(found.sqrtPriceX64) - 201) < 1e-6, `price ${dollars(found.sqrtPriceX64)}`);
    // Hedged: a dollar more changes equity by the curvature alone, against the position.
    const lost = BigInt(world.described.position.assets) - BigInt(world.described.position.debt) - found.equity;
    assert.ok(lost > 0n && lost < 100_000n, `equity ${found.equity}`);
  });

  it('lends, and takes back', async () => {
    const lender = world.visitor;
    const amount = 1_234_567_891n;
    const funds = BigInt(world.described.visitorFunds.base);
    const earlier = await reserve('base');
    const accounts = await lendingAccounts(earlier, lender.address);
    const createShares = await getCreateAssociatedTokenIdempotentInstructionAsync({
      payer: lender,
      owner: lender.address,
      mint: accounts.shareMint,
      tokenProgram: TOKEN_PROGRAM_ADDRESS,
    });
    assert.equal(await balance(accounts.walletTokens), funds);

    await sender.send(lender, [
      createShares,
      getDepositInstruction({ ...accounts, lender, amount, minShares: 1n }),
    ]);
    const lent = await reserve('base');
    const shares = await balance(accounts.walletShares);
    assert.equal(await balance(accounts.walletTokens), funds - amount);
    assert.equal(lent.data.liquidity, earlier.data.liquidity + amount);
    assert.equal(lent.data.supplyShares, earlier.data.supplyShares + shares);
    // Before the deposit, with interest to its time.
    const [supply, assets] = [earlier.data.supplyShares, totalAssets(lent.data) - amount];
    assert.equal(shares, (amount * (supply + VIRTUAL_SHARES)) / (assets + VIRTUAL_ASSETS));

    await sender.send(lender, [getWithdrawInstruction({ ...accounts, lender, shares, minAmount: 1n })]);
    const left = await reserve('base');
    const back = lent.data.liquidity - left.data.liquidity;
    assert.equal(await balance(accounts.walletShares), 0n);
    assert.equal(await balance(accounts.walletTokens), funds - amount + back);
    assert.equal(left.data.supplyShares, earlier.data.supplyShares);
    const whole = totalAssets(left.data) + back;
    assert.equal(back, (shares * (whole + VIRTUAL_ASSETS)) / (lent.data.supplyShares + VIRTUAL_SHARES));
    assert.ok(amount - back <= 1n, `${back} came back of ${amount}`);
  });

  it('books interest', async () => {
    const earlier = await reserve('quote');
    await waitForClock(earlier.data.lastAccrualSecs + 1n);
    await sender.send(world.visitor, [getAccrueInstruction({ reserve: earlier.address })]);
    const later = await reserve('quote');
    assert.ok(later.data.lastAccrualSecs > earlier.data.lastAccrualSecs);
    assert.ok(later.data.borrowIndexX64 >= earlier.data.borrowIndexX64);
    assert.deepEqual(
      [later.data.liquidity, later.data.debtShares, later.data.supplyShares],
      [earlier.data.liquidity, earlier.data.debtShares, earlier.data.supplyShares],
    );
  });

  it('sets a policy', async () => {
    const { policy } = (await position()).data;
    const changed = { ...policy, deltaBandBps: policy.deltaBandBps + 7, keeperEnabled: 0 };
    const { owner } = world;
    await sender.send(owner, [getSetPolicyInstruction({ ...(await accountsOf()), owner, policy: changed })]);
    assert.deepEqual((await position()).data.policy, changed);
  });

  it('opens a position', async () => {
    await world.post(200);
    const held = await market();
    const owner = world.visitor;
    const funds = await balance((await walletAccounts(owner.address, held)).walletQuote);
    const { tickLower, tickUpper, policy } = (await position()).data;
    const args = { id: 7n, tickLower, tickUpper };
    const pool = await fetchEncodedAccount(sender.rpc, held.data.whirlpool, confirmed);
    assert.ok(pool.exists);
    const ownQuote = 250_000_000n;
    const accounts = {
      ...(await marketAccounts(held, world.prices)),
      ...(await newPositionAccounts(held, { ...args, creator: owner.address })),
      ...(await swapAccounts(held, readTickCurrent(pool.data), 'buyBase')),
      ...(await walletAccounts(owner.address, held)),
    };
    const open = await getOpenInstructionAsync({
      ...accounts,
      ...args,
      owner,
      policy,
      ownBase: 0n,
      ownQuote,
      leverageBps: 25_000,
      minLiquidity: 1n,
      maxBaseDebt: 1_700_000_000n,
      maxQuoteDebt: 100_000_000n,
    });
    const [base, quote] = [await reserve('base'), await reserve('quote')];
    await sender.send(owner, [open]);

    const opened = await position(accounts.position);
    assert.equal(opened.data.owner, owner.address);
    assert.equal(opened.data.id, 7n);
    assert.deepEqual([opened.data.tickLower, opened.data.tickUpper], [tickLower, tickUpper]);
    assert.deepEqual(opened.data.policy, policy);
    assert.equal(opened.data.entry.ownQuote, ownQuote);
    assert.equal(await balance(accounts.walletQuote), funds - ownQuote);
    assert.equal((await market()).data.openPositions, held.data.openPositions + 1n);
    // What it owes has left the vaults.
    const borrowed = [
      base.data.liquidity - (await reserve('base')).data.liquidity,
      quote.data.liquidity - (await reserve('quote')).data.liquidity,
    ] as const;
    assert.ok(borrowed[0] > 0n && borrowed[0] <= 1_700_000_000n, `borrowed ${borrowed}`);
    assert.ok(borrowed[1] > 0n && borrowed[1] <= 100_000_000n, `borrowed ${borrowed}`);
    const found = await health(accounts.position);
    // 2.5 times 250 dollars, but for roundings; base is worth 200 dollars or 0.2 quote per lamport.
    assert.ok(Math.abs(Number(found.assets - 625_000_000n)) <= 10, `assets ${found.assets}`);
    assert.ok(Math.abs(Number(found.debt - 375_000_000n)) <= 10, `debt ${found.debt}`);
    assert.ok(Math.abs(Number(borrowed[0] / 5n + borrowed[1] - found.debt)) <= 10, `borrowed ${borrowed}`);
    assert.equal(found.ltvBps, Number(ceilDiv(found.debt * 10_000n, found.assets)));

    // As a front end lists positions.
    const listed = await sender.rpc
      .getProgramAccounts(BALLAST_PROGRAM_ADDRESS, {
        ...confirmed,
        encoding: 'base64',
        filters: [
          {
            memcmp: {
              offset: 0n,
              bytes: getBase58Decoder().decode(POSITION_DISCRIMINATOR) as Base58EncodedBytes,
              encoding: 'base58',
            },
          },
        ],
      })
      .send();
    assert.deepEqual(listed.map(({ pubkey }) => pubkey).sort(), [world.position, accounts.position].sort());
  });

  it('names who refuses, and why', async () => {
    const { visitor } = world;
    const accounts = await accountsOf();
    const { policy } = (await position()).data;
    const foreign = getSetPolicyInstruction({ ...accounts, owner: visitor, policy });
    const refusal = await refusalOf(sender.send(visitor, [foreign]));
    assert.equal(refusal.program, BALLAST_PROGRAM_ADDRESS);
    assert.equal(refusal.code, BALLAST_ERROR__NOT_OWNER);
    assert.equal(refusal.name, 'NotOwner');
    assert.equal(refusal.message, 'The signer is not the owner of this position');
    assert.equal((await position()).data.owner, world.owner.address);

    const lending = { ...(await lendingAccounts(await reserve('base'), visitor.address)), lender: visitor, minShares: 0n };
    const nothing = await refusalOf(sender.send(visitor, [getDepositInstruction({ ...lending, amount: 0n })]));
    assert.equal(nothing.name, 'ZeroAmount');

    const greedy = getDepositInstruction({ ...lending, amount: 1_000_000n, minShares: 1_000_000_001n });
    assert.equal((await refusalOf(sender.send(visitor, [greedy]))).name, 'SlippageExceeded');

    // Refused by the token program, whose number 1 is none of Ballast's.
    const tooMuch = getDepositInstruction({ ...lending, amount: (await balance(lending.walletTokens)) + 1n });
    assert.deepEqual(await refusalOf(sender.send(visitor, [tooMuch])), { program: TOKEN_PROGRAM_ADDRESS, code: 1 });

    // The quote price in place of the base price.
    const swapped = { ...accounts, basePrice: accounts.quotePrice };
    await assert.rejects(fetchHealth(sender.rpc, swapped, visitor.address), (error) => {
      assert.ok(error instanceof HealthError);
      assert.equal(error.refusal?.name, 'PriceWrongFeed');
      return true;
    });
  });

  /** Until the cluster's clock says so. */
  async function waitForClock(secs: bigint): Promise<void> {
    const deadline = Date.now() + 60_000;
    while ((await fetchSysvarClock(sender.rpc, confirmed)).unixTimestamp < secs) {
      assert.ok(Date.now() < deadline, `the cluster's clock does not reach ${secs}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});
