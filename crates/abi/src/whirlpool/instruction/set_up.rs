//! Setting up a config, fee tiers, pools and tick arrays.

use solana_address::Address;

use crate::wire::instruction;

instruction! {
    /// Creates a Whirlpools config. The real program reserves this to an administrator.
    InitializeConfig [208, 127, 21, 1, 194, 190, 196, 70];
    /// Accounts of [`InitializeConfig`].
    InitializeConfigAccounts {
        /// A fresh account.
        writable_signer config,
        /// Pays the rent.
        writable_signer funder,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// Who may create fee tiers.
        fee_authority: Address,
        /// Who may collect protocol fees.
        collect_protocol_fees_authority: Address,
        /// Who may appoint reward authorities.
        reward_emissions_super_authority: Address,
        /// Protocol's part of the fee of new pools, 1e-4, at most 2500.
        default_protocol_fee_rate_bps: u16,
    }
}

instruction! {
    /// Creates a fee tier, at [`pda::fee_tier`](crate::whirlpool::pda::fee_tier).
    InitializeFeeTier [183, 74, 156, 160, 112, 2, 42, 30];
    /// Accounts of [`InitializeFeeTier`].
    InitializeFeeTierAccounts {
        /// The config.
        readonly config,
        /// The fee tier.
        writable fee_tier,
        /// Pays the rent.
        writable_signer funder,
        /// The config's fee authority.
        signer fee_authority,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// Tick spacing of its pools, not 0.
        tick_spacing: u16,
        /// Swap fee of new pools, 1e-6, at most 60000.
        default_fee_rate_ppm: u16,
    }
}

instruction! {
    /// Creates a pool, at [`pda::pool`](crate::whirlpool::pda::pool), and its vaults.
    InitializePoolV2 [207, 45, 87, 242, 27, 63, 204, 67];
    /// Accounts of [`InitializePoolV2`].
    InitializePoolV2Accounts {
        /// The config.
        readonly config,
        /// Mint A, bytewise below mint B.
        readonly mint_a,
        /// Mint B.
        readonly mint_b,
        /// [`pda::token_badge`](crate::whirlpool::pda::token_badge) of mint A, existing or not.
        readonly token_badge_a,
        /// [`pda::token_badge`](crate::whirlpool::pda::token_badge) of mint B, existing or not.
        readonly token_badge_b,
        /// Pays the rent.
        writable_signer funder,
        /// The pool.
        writable pool,
        /// A fresh account for token A.
        writable_signer vault_a,
        /// A fresh account for token B.
        writable_signer vault_b,
        /// The fee tier.
        readonly fee_tier,
        /// Token program of mint A.
        readonly token_program_a,
        /// Token program of mint B.
        readonly token_program_b,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
        /// [`spl::RENT_SYSVAR`](crate::spl::RENT_SYSVAR).
        readonly rent,
    }
    args {
        /// Tick spacing of the fee tier.
        tick_spacing: u16,
        /// First price, Q64.64.
        initial_sqrt_price: u128,
    }
}

instruction! {
    /// Creates a tick array of the fixed kind, at [`pda::tick_array`](crate::whirlpool::pda::tick_array).
    InitializeTickArray [11, 188, 193, 214, 141, 91, 149, 184];
    /// Accounts of [`InitializeTickArray`].
    InitializeTickArrayAccounts {
        /// The pool.
        readonly pool,
        /// Pays the rent.
        writable_signer funder,
        /// The tick array.
        writable tick_array,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// First tick, see [`array_start`](crate::whirlpool::array_start).
        start: i32,
    }
}

instruction! {
    /// Creates a tick array of the dynamic kind, at [`pda::tick_array`](crate::whirlpool::pda::tick_array).
    InitializeDynamicTickArray [41, 33, 165, 200, 120, 231, 142, 50];
    /// Accounts of [`InitializeDynamicTickArray`].
    InitializeDynamicTickArrayAccounts {
        /// The pool.
        readonly pool,
        /// Pays the rent.
        writable_signer funder,
        /// The tick array.
        writable tick_array,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// First tick, see [`array_start`](crate::whirlpool::array_start).
        start: i32,
        /// Succeed without doing anything when the array exists.
        idempotent: bool,
    }
}
