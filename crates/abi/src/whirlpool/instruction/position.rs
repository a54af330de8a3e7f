//! Opening, re-ranging and closing positions.

use crate::wire::instruction;

instruction! {
    /// Opens an empty position over `[tick_lower, tick_upper]`, mints its NFT (Token-2022) to `owner` and pays rent from
    /// `funder`. `owner` may be any address and does not sign; `position_mint` is a fresh account that signs (a PDA may,
    /// through CPI).
    OpenPositionWithTokenExtensions [212, 47, 95, 92, 114, 102, 131, 250];
    /// Accounts of [`OpenPositionWithTokenExtensions`].
    OpenPositionWithTokenExtensionsAccounts {
        /// Pays the rent.
        writable_signer funder,
        /// Who gets the NFT.
        readonly owner,
        /// [`pda::position`](crate::whirlpool::pda::position) of the mint.
        writable position,
        /// Mint of the NFT.
        writable_signer position_mint,
        /// Associated Token-2022 account of `owner` and the mint.
        writable position_token_account,
        /// The pool.
        readonly pool,
        /// [`spl::TOKEN_2022_PROGRAM`](crate::spl::TOKEN_2022_PROGRAM).
        readonly token_2022_program,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
        /// [`spl::ASSOCIATED_TOKEN_PROGRAM`](crate::spl::ASSOCIATED_TOKEN_PROGRAM).
        readonly associated_token_program,
        /// [`METADATA_UPDATE_AUTHORITY`](super::METADATA_UPDATE_AUTHORITY).
        readonly metadata_update_authority,
    }
    args {
        /// Lower end of the band, a multiple of the tick spacing.
        tick_lower: i32,
        /// Upper end of the band, a multiple of the tick spacing.
        tick_upper: i32,
        /// Whether to write name and picture into the NFT, at the cost of rent and compute.
        with_metadata: bool,
    }
}

instruction! {
    /// Gives an empty position (no liquidity, no fees, no rewards owed) another band, as if it had just been opened there; it
    /// keeps its account and its NFT. The new tick arrays need not exist yet.
    ResetPositionRange [164, 123, 180, 141, 194, 100, 160, 175];
    /// Accounts of [`ResetPositionRange`].
    ResetPositionRangeAccounts {
        /// Pays what the position lacks of its own rent and of that for two ticks in dynamic tick arrays.
        writable_signer funder,
        /// Holder or delegate of the NFT.
        signer position_authority,
        /// The pool.
        readonly pool,
        /// The position.
        writable position,
        /// Token account with the NFT.
        readonly position_token_account,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// Lower end of the new band, a multiple of the tick spacing.
        tick_lower: i32,
        /// Upper end of the new band, a multiple of the tick spacing.
        tick_upper: i32,
    }
}

instruction! {
    /// Burns the NFT and closes an empty position (no liquidity, no fees, no rewards owed); all rent goes to `receiver`.
    ClosePositionWithTokenExtensions [1, 182, 135, 59, 155, 25, 99, 223];
    /// Accounts of [`ClosePositionWithTokenExtensions`].
    ClosePositionWithTokenExtensionsAccounts {
        /// Holder or delegate of the NFT.
        signer position_authority,
        /// Gets the rent.
        writable receiver,
        /// The position.
        writable position,
        /// Mint of its NFT.
        writable position_mint,
        /// Token account with the NFT.
        writable position_token_account,
        /// [`spl::TOKEN_2022_PROGRAM`](crate::spl::TOKEN_2022_PROGRAM).
        readonly token_2022_program,
    }
    args {}
}
