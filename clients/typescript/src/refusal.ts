/** Who refused a transaction, and why. */
import {
  address,
  isSolanaError,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  type Address,
} from '@solana/kit';

import { BALLAST_ERRORS } from './generated/errorTable.js';
import { BALLAST_PROGRAM_ADDRESS } from './generated/index.js';

/** Name of one of the program's errors. */
export type BallastErrorName = (typeof BALLAST_ERRORS)[keyof typeof BALLAST_ERRORS]['name'];

export interface Refusal {
  /** The program that refused: Ballast, or one that it called. */
  program: Address;
  /** Its error number. */
  code: number;
  /** Name of Ballast's own errors. Numbers of other programs, and Anchor's below 6000, have none here. */
  name?: BallastErrorName;
  /** What to do about it. */
  message?: string;
}

/**
 * Reads the refusal out of an error that sending a transaction threw, or out of the error and logs of a simulation. Programs
 * share error numbers and the error does not say whose it is, so the logs decide: an error of a program that Ballast
 * called is never taken for one of Ballast's. `undefined` if no program refused, or there are no logs.
 */
export function findRefusal(error: unknown, logs?: readonly string[] | null): Refusal | undefined {
  let code: number | undefined;
  let found = logs ?? undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) {
      code = cause.context.code;
    } else if (isSolanaError(cause, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE)) {
      found ??= cause.context.logs ?? undefined;
    }
  }
  // The first line is of the program that failed; those that called it repeat its number.
  const line = found?.map((text) => FAILED.exec(text)).find((match) => match !== null);
  const [, program, number] = line ?? [];
  if (program === undefined || number === undefined || Number(number) !== code) {
    return undefined;
  }
  const known = program === BALLAST_PROGRAM_ADDRESS && code in BALLAST_ERRORS;
  return {
    program: address(program),
    code,
    ...(known && BALLAST_ERRORS[code as keyof typeof BALLAST_ERRORS]),
  };
}

const FAILED = /^Program (\w+) failed: custom program error: (0x[0-9a-f]+)$/;
