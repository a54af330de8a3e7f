//! Swaps.

use super::NoRemainingAccounts;
use crate::wire::instruction;

instruction! {
    /// Swaps along up to three tick arrays.
    ///
    /// The arrays may come in any order and repeat; one that is not initialised counts as empty. Without an explicit price
    /// limit (0), running past the last array is an error (6038), not a partial fill.
    SwapV2 [43, 4, 237, 11, 26, 201, 30, 98];
    /// Accounts of [`SwapV2`].
    SwapV2Accounts {
        /// Token program of mint A.
        readonly token_program_a,
        /// Token program of mint B.
        readonly token_program_b,
        /// [`spl::MEMO_PROGRAM`](crate::spl::MEMO_PROGRAM).
        readonly memo_program,
        /// Owner (or delegate) of the account that pays.
        signer token_authority,
        /// The pool.
        writable pool,
        /// Mint A.
        readonly mint_a,
        /// Mint B.
        readonly mint_b,
        /// The trader's account of token A.
        writable owner_account_a,
        /// The pool's account of token A.
        writable vault_a,
        /// The trader's account of token B.
        writable owner_account_b,
        /// The pool's account of token B.
        writable vault_b,
        /// Tick array, see [`swap_tick_arrays`](crate::whirlpool::swap_tick_arrays).
        writable tick_array_0,
        /// Tick array.
        writable tick_array_1,
        /// Tick array.
        writable tick_array_2,
        /// [`pda::oracle`](crate::whirlpool::pda::oracle), existing or not.
        writable oracle,
    }
    args {
        /// Input if `amount_is_input`, else output; raw units, not 0.
        amount: u64,
        /// The least output or the largest input that is accepted, raw units.
        other_amount_threshold: u64,
        /// Stop at this price (Q64.64); 0 for no limit.
        sqrt_price_limit: u128,
        /// Whether `amount` is what goes into the pool (fee included).
        amount_is_input: bool,
        /// Whether token A goes in and token B comes out.
        a_to_b: bool,
    }
    tail NoRemainingAccounts;
}
