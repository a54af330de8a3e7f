/** Sends transactions with a market's lookup table. */
import {
  address,
  appendTransactionMessageInstructions,
  assertIsTransactionWithBlockhashLifetime,
  compressTransactionMessageUsingAddressLookupTables,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  fetchAddressesForLookupTables,
  getU32Encoder,
  isSolanaError,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  type Address,
  type AddressesByLookupTableAddress,
  type Instruction,
  type Rpc,
  type SolanaRpcApi,
  type TransactionSigner,
} from '@solana/kit';

const CONFIRMATION_TIMEOUT_MS = 90_000;
/** The most that a transaction may use. */
const COMPUTE_UNITS = 1_400_000;

export class Sender {
  private constructor(
    readonly rpc: Rpc<SolanaRpcApi>,
    private readonly wsUrl: string,
    private readonly tables: AddressesByLookupTableAddress,
  ) {}

  static async connect(rpcUrl: string, wsUrl: string, lookupTable: Address): Promise<Sender> {
    const rpc = createSolanaRpc(rpcUrl);
    return new Sender(rpc, wsUrl, await fetchAddressesForLookupTables([lookupTable], rpc));
  }

  /** Sends instructions that `payer` signs, and whoever else they name as a signer; waits for confirmation. */
  async send(payer: TransactionSigner, instructions: Instruction[]): Promise<void> {
    const { value: blockhash } = await this.rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (draft) => setTransactionMessageFeePayerSigner(payer, draft),
      (draft) => setTransactionMessageLifetimeUsingBlockhash(blockhash, draft),
      (draft) => appendTransactionMessageInstructions([computeLimit(COMPUTE_UNITS), ...instructions], draft),
      (draft) => compressTransactionMessageUsingAddressLookupTables(draft, this.tables),
    );
    const transaction = await signTransactionMessageWithSigners(message);
    assertIsTransactionWithBlockhashLifetime(transaction);
    const rpcSubscriptions = createSolanaRpcSubscriptions(this.wsUrl);
    const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc: this.rpc, rpcSubscriptions });
    const abortSignal = AbortSignal.timeout(CONFIRMATION_TIMEOUT_MS);
    try {
      await sendAndConfirm(transaction, { abortSignal, commitment: 'confirmed' });
    } catch (cause) {
      const refused = isSolanaError(cause, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE);
      const logs = refused ? (cause.context.logs ?? []) : [];
      throw new Error(['the transaction failed', ...logs].join('\n'), { cause });
    }
  }
}

function computeLimit(units: number): Instruction {
  return {
    programAddress: address('ComputeBudget111111111111111111111111111111'),
    data: Uint8Array.of(2, ...getU32Encoder().encode(units)),
  };
}
