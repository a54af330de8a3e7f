/** What a position is worth, as the program itself computes it. */
import {
  appendTransactionMessageInstruction,
  compileTransaction,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getBase64Encoder,
  getSolanaErrorFromTransactionError,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Address,
  type Blockhash,
  type Rpc,
  type SimulateTransactionApi,
} from '@solana/kit';

import { BALLAST_PROGRAM_ADDRESS, getCheckHealthInstruction, getHealthDecoder, type Health } from './generated/index.js';
import { findRefusal, type Refusal } from './refusal.js';

/** Accounts of `check_health`; `...marketAccounts, position`. */
export type HealthAccounts = Omit<Parameters<typeof getCheckHealthInstruction>[0], 'maxLtvBps'>;

/** A position's health cannot be read. */
export class HealthError extends Error {
  override name = 'HealthError';

  constructor(
    message: string,
    /** Who refused, and why, if a program did. */
    readonly refusal?: Refusal,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const ANY_LTV = 0xffff_ffff;

/**
 * Values a position at the oracle's price with interest to now, by simulating `check_health`: nothing is sent, nothing
 * signed. Any funded account may be named as payer.
 *
 * @throws {@link HealthError} with the program's reason, e.g. that the price is stale.
 */
export async function fetchHealth(
  rpc: Rpc<SimulateTransactionApi>,
  accounts: HealthAccounts,
  payer: Address,
): Promise<Health> {
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (draft) => setTransactionMessageFeePayer(payer, draft),
    // The node replaces it.
    (draft) => setTransactionMessageLifetimeUsingBlockhash(NO_BLOCKHASH, draft),
    (draft) =>
      appendTransactionMessageInstruction(getCheckHealthInstruction({ ...accounts, maxLtvBps: ANY_LTV }), draft),
  );
  const transaction = getBase64EncodedWireTransaction(compileTransaction(message));
  const { value } = await rpc
    .simulateTransaction(transaction, {
      commitment: 'confirmed',
      encoding: 'base64',
      replaceRecentBlockhash: true,
      sigVerify: false,
    })
    .send();
  if (value.err !== null) {
    const cause = getSolanaErrorFromTransactionError(value.err);
    const refusal = findRefusal(cause, value.logs);
    throw new HealthError(refusal?.message ?? cause.message, refusal, { cause });
  }
  if (value.returnData?.programId !== BALLAST_PROGRAM_ADDRESS) {
    throw new HealthError('the simulation returned no health');
  }
  return getHealthDecoder().decode(getBase64Encoder().encode(value.returnData.data[0]));
}

const NO_BLOCKHASH = {
  blockhash: '11111111111111111111111111111111' as Blockhash,
  lastValidBlockHeight: 0n,
};
