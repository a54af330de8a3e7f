//! Adding and removing liquidity, booking and collecting fees and rewards.

use super::NoRemainingAccounts;
use crate::wire::{arguments, instruction};

instruction! {
    /// Adds liquidity; the tokens come from accounts of `position_authority`. Amounts round up.
    IncreaseLiquidityV2 [133, 29, 89, 223, 69, 238, 176, 10];
    /// Accounts of [`IncreaseLiquidityV2`] and [`DecreaseLiquidityV2`].
    ModifyLiquidityV2Accounts {
        /// The pool.
        writable pool,
        /// Token program of mint A.
        readonly token_program_a,
        /// Token program of mint B.
        readonly token_program_b,
        /// [`spl::MEMO_PROGRAM`](crate::spl::MEMO_PROGRAM).
        readonly memo_program,
        /// Holder or delegate of the NFT.
        signer position_authority,
        /// The position.
        writable position,
        /// Token account with the NFT.
        readonly position_token_account,
        /// Mint A.
        readonly mint_a,
        /// Mint B.
        readonly mint_b,
        /// Where token A comes from or goes to.
        writable owner_account_a,
        /// Where token B comes from or goes to.
        writable owner_account_b,
        /// The pool's account of token A.
        writable vault_a,
        /// The pool's account of token B.
        writable vault_b,
        /// Tick array that holds the lower tick.
        writable tick_array_lower,
        /// Tick array that holds the upper tick; may be the same.
        writable tick_array_upper,
    }
    args {
        /// Liquidity to add, not 0.
        liquidity: u128,
        /// At most this much of token A, raw units.
        max_a: u64,
        /// At most this much of token B, raw units.
        max_b: u64,
    }
    tail NoRemainingAccounts;
}

arguments! {
    /// Removes liquidity and books fees; the tokens go to any accounts of the right mints. Amounts round down.
    DecreaseLiquidityV2 [58, 127, 188, 62, 79, 82, 196, 96], ModifyLiquidityV2Accounts {
        /// Liquidity to remove, not 0.
        liquidity: u128,
        /// At least this much of token A, raw units.
        min_a: u64,
        /// At least this much of token B, raw units.
        min_b: u64,
    }
    tail NoRemainingAccounts;
}

instruction! {
    /// Books the fees of a position up to now. Fails with 6012 when the position has no liquidity (a decrease already
    /// books them).
    UpdateFeesAndRewards [154, 230, 250, 13, 236, 209, 75, 223];
    /// Accounts of [`UpdateFeesAndRewards`].
    UpdateFeesAndRewardsAccounts {
        /// The pool.
        writable pool,
        /// The position.
        writable position,
        /// Tick array that holds the lower tick.
        readonly tick_array_lower,
        /// Tick array that holds the upper tick.
        readonly tick_array_upper,
    }
    args {}
}

instruction! {
    /// Pays out the fees that are booked on a position.
    CollectFeesV2 [207, 117, 95, 191, 229, 180, 226, 15];
    /// Accounts of [`CollectFeesV2`].
    CollectFeesV2Accounts {
        /// The pool.
        readonly pool,
        /// Holder or delegate of the NFT.
        signer position_authority,
        /// The position.
        writable position,
        /// Token account with the NFT.
        readonly position_token_account,
        /// Mint A.
        readonly mint_a,
        /// Mint B.
        readonly mint_b,
        /// Where token A goes to.
        writable owner_account_a,
        /// The pool's account of token A.
        writable vault_a,
        /// Where token B goes to.
        writable owner_account_b,
        /// The pool's account of token B.
        writable vault_b,
        /// Token program of mint A.
        readonly token_program_a,
        /// Token program of mint B.
        readonly token_program_b,
        /// [`spl::MEMO_PROGRAM`](crate::spl::MEMO_PROGRAM).
        readonly memo_program,
    }
    args {}
    tail NoRemainingAccounts;
}

instruction! {
    /// Pays out one of the rewards that are booked on a position, as far as the reward's vault goes.
    CollectRewardV2 [177, 107, 37, 180, 160, 19, 49, 209];
    /// Accounts of [`CollectRewardV2`].
    CollectRewardV2Accounts {
        /// The pool.
        readonly pool,
        /// Holder or delegate of the NFT.
        signer position_authority,
        /// The position.
        writable position,
        /// Token account with the NFT.
        readonly position_token_account,
        /// Where the reward goes to.
        writable reward_owner_account,
        /// Mint of the reward, see [`RewardView`](crate::whirlpool::RewardView).
        readonly reward_mint,
        /// The pool's account of the reward.
        writable reward_vault,
        /// Token program of the reward's mint.
        readonly reward_token_program,
        /// [`spl::MEMO_PROGRAM`](crate::spl::MEMO_PROGRAM).
        readonly memo_program,
    }
    args {
        /// Which of the pool's three rewards, from 0.
        reward_index: u8,
    }
    tail NoRemainingAccounts;
}
