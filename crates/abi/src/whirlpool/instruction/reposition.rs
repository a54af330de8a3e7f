//! Moving a position with its liquidity.

use alloc::vec::Vec;

use super::NoRemainingAccounts;
use crate::wire::{Wire, instruction};

instruction! {
    /// Removes all liquidity, books its fees, moves the position to another band and adds liquidity there; of each token only
    /// the difference moves. Fees and rewards owed stay owed. A position without liquidity may be moved so, too.
    RepositionLiquidityV2 [191, 169, 224, 11, 131, 19, 158, 253];
    /// Accounts of [`RepositionLiquidityV2`].
    RepositionLiquidityV2Accounts {
        /// The pool.
        writable pool,
        /// Token program of mint A.
        readonly token_program_a,
        /// Token program of mint B.
        readonly token_program_b,
        /// [`spl::MEMO_PROGRAM`](crate::spl::MEMO_PROGRAM).
        readonly memo_program,
        /// Holder or delegate of the NFT; tokens that are needed come from its accounts.
        signer position_authority,
        /// Pays what the position lacks of its own rent and of that for two ticks in dynamic tick arrays.
        writable_signer funder,
        /// The position.
        writable position,
        /// Token account with the NFT.
        readonly position_token_account,
        /// Mint A.
        readonly mint_a,
        /// Mint B.
        readonly mint_b,
        /// Where the difference of token A comes from or goes to.
        writable owner_account_a,
        /// Where the difference of token B comes from or goes to.
        writable owner_account_b,
        /// The pool's account of token A.
        writable vault_a,
        /// The pool's account of token B.
        writable vault_b,
        /// Tick array that holds the lower tick of the present band.
        writable tick_array_lower,
        /// Tick array that holds the upper tick of the present band; may be the same.
        writable tick_array_upper,
        /// Tick array that holds the lower tick of the new band; may be any of the others.
        writable new_tick_array_lower,
        /// Tick array that holds the upper tick of the new band; may be any of the others.
        writable new_tick_array_upper,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// Lower end of the new band, a multiple of the tick spacing.
        tick_lower: i32,
        /// Upper end of the new band, a multiple of the tick spacing.
        tick_upper: i32,
        /// How much to add.
        method: RepositionMethod,
    }
    tail NoRemainingAccounts;
}

/// How the liquidity in the new band is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositionMethod {
    /// It is given.
    ByLiquidity {
        /// Liquidity in the new band, not 0.
        liquidity: u128,
        /// At least this much of token A out of the present band, raw units.
        min_a: u64,
        /// At least this much of token B out of the present band, raw units.
        min_b: u64,
        /// At most this much of token A into the new band, raw units: all of it, not just the difference.
        max_a: u64,
        /// At most this much of token B into the new band, raw units: all of it, not just the difference.
        max_b: u64,
    },
}

impl Wire for RepositionMethod {
    fn put(&self, data: &mut Vec<u8>) {
        let Self::ByLiquidity {
            liquidity,
            min_a,
            min_b,
            max_a,
            max_b,
        } = self;
        data.push(0);
        liquidity.put(data);
        for amount in [min_a, min_b, max_a, max_b] {
            amount.put(data);
        }
    }

    fn take(data: &mut &[u8]) -> Option<Self> {
        if u8::take(data)? != 0 {
            return None;
        }
        Some(Self::ByLiquidity {
            liquidity: Wire::take(data)?,
            min_a: Wire::take(data)?,
            min_b: Wire::take(data)?,
            max_a: Wire::take(data)?,
            max_b: Wire::take(data)?,
        })
    }
}
