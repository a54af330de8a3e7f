//! Token accounts: what they must be, and how tokens move.

use anchor_lang::{prelude::*, solana_program::program::invoke_signed};
use ballast_abi::{
    spl::{self, MintView, TokenAccountView, mint_extension as extension},
    whirlpool::fees::PerToken,
};

use crate::{WhirlpoolError, account, error::layout};

/// A mint with its token program, checked to be the pool's.
pub struct CheckedMint<'a, 'info> {
    pub mint: &'a AccountInfo<'info>,
    pub program: &'a AccountInfo<'info>,
}

impl<'a, 'info> CheckedMint<'a, 'info> {
    pub fn new(
        mint: &'a AccountInfo<'info>,
        program: &'a AccountInfo<'info>,
        expected: Pubkey,
    ) -> Result<Self> {
        require_keys_eq!(*mint.key, expected, ErrorCode::ConstraintAddress);
        check_token_program(program.key)?;
        require_keys_eq!(*program.key, *mint.owner, ErrorCode::ConstraintAddress);
        Ok(Self { mint, program })
    }

    /// Checks a user's account of this mint. Who may spend from it is the token program's to check.
    pub fn check_account(&self, account: &AccountInfo) -> Result<()> {
        let data = token_account_data(account)?;
        let view = TokenAccountView::parse(&data).map_err(layout)?;
        require_keys_eq!(view.mint(), *self.mint.key, ErrorCode::ConstraintRaw);
        Ok(())
    }

    /// Moves tokens; `authority` signs by itself or by `seeds`.
    pub fn transfer(
        &self,
        from: &AccountInfo<'info>,
        to: &AccountInfo<'info>,
        authority: &AccountInfo<'info>,
        amount: u64,
        seeds: &[&[&[u8]]],
    ) -> Result<()> {
        let decimals = {
            let data = self.mint.try_borrow_data()?;
            let mint = MintView::parse(&data).map_err(layout)?;
            refuse_special_transfers(&mint)?;
            mint.decimals()
        };
        let transfer = spl::transfer_checked(
            *self.program.key,
            *from.key,
            *self.mint.key,
            *to.key,
            *authority.key,
            amount,
            decimals,
        );
        let infos = [
            from.clone(),
            self.mint.clone(),
            to.clone(),
            authority.clone(),
        ];
        Ok(invoke_signed(&transfer, &infos, seeds)?)
    }
}

/// The pool's mints.
pub type Mints<'a, 'info> = PerToken<CheckedMint<'a, 'info>>;

/// SPL Token or Token-2022.
pub fn check_token_program(program: &Pubkey) -> Result<()> {
    require!(
        [spl::TOKEN_PROGRAM, spl::TOKEN_2022_PROGRAM].contains(program),
        ErrorCode::InvalidProgramId
    );
    Ok(())
}

/// The memo program takes part in the interface only: nothing here needs a memo.
pub fn check_memo_program(program: &AccountInfo) -> Result<()> {
    require_keys_eq!(*program.key, spl::MEMO_PROGRAM, ErrorCode::InvalidProgramId);
    Ok(())
}

fn token_account_data<'a>(account: &'a AccountInfo) -> Result<std::cell::Ref<'a, &'a mut [u8]>> {
    require!(
        [spl::TOKEN_PROGRAM, spl::TOKEN_2022_PROGRAM].contains(account.owner),
        ErrorCode::AccountOwnedByWrongProgram
    );
    Ok(account.try_borrow_data()?)
}

/// Checks that `token_account` holds the position's NFT and that `authority`, which has signed, may command it: the
/// holder, or a delegate of exactly 1.
pub fn check_position_authority(
    token_account: &AccountInfo,
    position_mint: Pubkey,
    authority: &Pubkey,
) -> Result<()> {
    let data = token_account_data(token_account)?;
    let view = TokenAccountView::parse(&data).map_err(layout)?;
    require_keys_eq!(view.mint(), position_mint, ErrorCode::ConstraintRaw);
    require_eq!(view.amount(), 1, ErrorCode::ConstraintRaw);
    match view.delegate() {
        Some((delegate, amount)) if delegate == *authority => {
            require_eq!(amount, 1, WhirlpoolError::InvalidPositionTokenAmount);
        }
        _ => require_keys_eq!(
            view.owner(),
            *authority,
            WhirlpoolError::MissingOrInvalidDelegate
        ),
    }
    Ok(())
}

/// Refuses to move tokens whose transfers need more than a transfer. The real program handles them, and Ballast refuses
/// such mints, so that a pool of them is of use only for that refusal.
fn refuse_special_transfers(mint: &MintView) -> Result<()> {
    let special = mint
        .extensions()
        .any(|kind| kind == extension::TRANSFER_FEE);
    require!(!special, WhirlpoolError::UnsupportedTokenMint);
    Ok(())
}

/// Extensions that a pool without a token badge takes.
const SUPPORTED_EXTENSIONS: [u16; 6] = [
    extension::TRANSFER_FEE,
    extension::INTEREST_BEARING,
    extension::METADATA,
    extension::METADATA_POINTER,
    extension::CONFIDENTIAL_TRANSFER,
    extension::CONFIDENTIAL_TRANSFER_FEE,
];
/// A token account that withholds transfer fees: padding, kind, one extension of eight bytes.
const FEE_ACCOUNT_LENGTH: usize = spl::TOKEN_ACCOUNT_LENGTH + 1 + 4 + 8;

/// Checks that a pool may have the mint, and returns the length of a vault for it. Mints of SPL Token always may; those
/// of Token-2022 need a token badge, which the stand-in does not know, for a freeze authority and most extensions.
fn check_pool_mint(mint: &AccountInfo, program: &AccountInfo) -> Result<usize> {
    check_token_program(program.key)?;
    require_keys_eq!(*program.key, *mint.owner, ErrorCode::ConstraintAddress);
    let data = mint.try_borrow_data()?;
    let view = MintView::parse(&data).map_err(layout)?;
    if *mint.owner == spl::TOKEN_PROGRAM {
        return Ok(spl::TOKEN_ACCOUNT_LENGTH);
    }
    let supported = view.freeze_authority().is_none()
        && view
            .extensions()
            .all(|kind| SUPPORTED_EXTENSIONS.contains(&kind));
    require!(supported, WhirlpoolError::UnsupportedTokenMint);
    let fee = view
        .extensions()
        .any(|kind| kind == extension::TRANSFER_FEE);
    Ok(if fee {
        FEE_ACCOUNT_LENGTH
    } else {
        spl::TOKEN_ACCOUNT_LENGTH
    })
}

/// Makes a vault of a fresh account that signs.
pub fn create_vault<'info>(
    creation: &account::Creation<'_, 'info>,
    vault: &AccountInfo<'info>,
    mint: &AccountInfo<'info>,
    program: &AccountInfo<'info>,
    owner: Pubkey,
) -> Result<()> {
    let length = check_pool_mint(mint, program)?;
    creation.create(vault, length, 0, program.key, &[])?;
    let initialize = spl::initialize_account(*program.key, *vault.key, *mint.key, owner);
    Ok(invoke_signed(
        &initialize,
        &[vault.clone(), mint.clone()],
        &[],
    )?)
}
