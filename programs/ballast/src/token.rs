//! Token accounts and transfers, for SPL Token and Token-2022 alike.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::{rent::Rent, system_instruction};
use ballast_abi::spl::{self, MINT_LENGTH, MintView, TOKEN_ACCOUNT_LENGTH, TokenAccountView};

use crate::{call::invoke, errors::BallastError};

/// Offset of the amount in every token account of either program.
const AMOUNT_OFFSET: usize = 64;
/// Who may move its tokens.
const OWNER: core::ops::Range<usize> = 32..64;
/// Whether somebody else may move some.
const DELEGATE_TAG: core::ops::Range<usize> = 72..76;
/// Whether somebody else may close it.
const CLOSER_TAG: core::ops::Range<usize> = 129..133;
/// The tag of what is not there.
const NONE: [u8; 4] = [0; 4];

/// What the token account really holds now, in raw units. Only ever used as a difference around an external call.
///
/// # Errors
/// [`BallastError::WrongTokenAccount`] if the data is too short to be a token account.
pub fn balance(account: &AccountInfo) -> Result<u64> {
    let data = account.try_borrow_data()?;
    let bytes = data
        .get(AMOUNT_OFFSET..AMOUNT_OFFSET + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(BallastError::WrongTokenAccount)?;
    Ok(u64::from_le_bytes(bytes))
}

/// What the token account holds after an external call for which its owner has signed, if nobody else commands it now. Whether
/// it is frozen is not asked: only the mint's freeze authority decides that, with or without a call.
///
/// # Errors
/// [`BallastError::AccountTampered`] if it has another owner, a delegate or a close authority;
/// [`BallastError::WrongTokenAccount`] if the data is too short to be a token account.
pub fn balance_of(account: &AccountInfo, owner: &Pubkey) -> Result<u64> {
    let data = account.try_borrow_data()?;
    let bytes: &[u8; TOKEN_ACCOUNT_LENGTH] =
        data.first_chunk().ok_or(BallastError::WrongTokenAccount)?;
    let field = |range: core::ops::Range<usize>| bytes.get(range).unwrap_or_default();
    require!(
        field(OWNER) == owner.as_ref() && field(DELEGATE_TAG) == NONE && field(CLOSER_TAG) == NONE,
        BallastError::AccountTampered
    );
    drop(data);
    balance(account)
}

/// Who may spend from a token account.
///
/// # Errors
/// [`BallastError::WrongTokenAccount`] if it is none.
pub fn authority(account: &AccountInfo) -> Result<Pubkey> {
    let data = account.try_borrow_data()?;
    let view = TokenAccountView::parse(&data).map_err(|_| BallastError::WrongTokenAccount)?;
    Ok(view.owner())
}

/// One token: its mint, decimals and program, already checked against market and mint owner.
pub struct Token<'a, 'info> {
    /// Token program.
    pub program: &'a AccountInfo<'info>,
    /// Mint.
    pub mint: &'a AccountInfo<'info>,
    /// The mint's decimals.
    pub decimals: u8,
}

impl<'a, 'info> Token<'a, 'info> {
    /// Moves `amount` raw units; nothing happens for zero.
    ///
    /// # Errors
    /// Those of the token program, among them foreign mints and missing funds or authority.
    pub fn transfer(
        &self,
        from: &AccountInfo<'info>,
        to: &AccountInfo<'info>,
        authority: &AccountInfo<'info>,
        amount: u64,
        seeds: &[&[&[u8]]],
    ) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let (program, mint) = (*self.program.key, *self.mint.key);
        let transfer = spl::transfer_checked(
            program,
            *from.key,
            mint,
            *to.key,
            *authority.key,
            amount,
            self.decimals,
        );
        let infos = [
            from.clone(),
            self.mint.clone(),
            to.clone(),
            authority.clone(),
        ];
        invoke(&transfer, &infos, seeds)
    }

    /// Creates a token account at a program-derived address.
    ///
    /// # Errors
    /// Those of the system and token programs.
    pub fn create_account(
        &self,
        payer: &AccountInfo<'info>,
        account: &AccountInfo<'info>,
        owner: &AccountInfo<'info>,
        seeds: &[&[u8]],
    ) -> Result<()> {
        create_owned(
            payer,
            account,
            TOKEN_ACCOUNT_LENGTH,
            self.program.key,
            seeds,
        )?;
        let initialize =
            spl::initialize_account(*self.program.key, *account.key, *self.mint.key, *owner.key);
        invoke(&initialize, &[account.clone(), self.mint.clone()], &[])
    }

    /// Closes an empty token account and sends its rent to `destination`.
    ///
    /// # Errors
    /// Those of the token program; tokens left in the account are one.
    pub fn close_account(
        &self,
        account: &AccountInfo<'info>,
        destination: &AccountInfo<'info>,
        authority: &AccountInfo<'info>,
        seeds: &[&[&[u8]]],
    ) -> Result<()> {
        let close = spl::close_account(
            *self.program.key,
            *account.key,
            *destination.key,
            *authority.key,
        );
        let infos = [account.clone(), destination.clone(), authority.clone()];
        invoke(&close, &infos, seeds)
    }
}

/// The lenders' shares of a reserve: an SPL Token mint whose authority is the reserve's address.
pub struct Shares<'a, 'info> {
    /// Mint of the shares.
    pub mint: &'a AccountInfo<'info>,
    /// The reserve.
    pub reserve: &'a AccountInfo<'info>,
}

impl<'info> Shares<'_, 'info> {
    /// Creates the mint at its program-derived address.
    ///
    /// # Errors
    /// Those of the system and token programs.
    pub fn create(&self, payer: &AccountInfo<'info>, decimals: u8, seeds: &[&[u8]]) -> Result<()> {
        create_owned(payer, self.mint, MINT_LENGTH, &spl::TOKEN_PROGRAM, seeds)?;
        let initialize = spl::initialize_mint(
            spl::TOKEN_PROGRAM,
            *self.mint.key,
            *self.reserve.key,
            decimals,
        );
        invoke(&initialize, core::slice::from_ref(self.mint), &[])
    }

    /// Mints shares to a lender; the reserve signs by its seeds.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn mint(&self, to: &AccountInfo<'info>, shares: u64, seeds: &[&[u8]]) -> Result<()> {
        let mint = spl::mint_to(
            spl::TOKEN_PROGRAM,
            *self.mint.key,
            *to.key,
            *self.reserve.key,
            shares,
        );
        let infos = [self.mint.clone(), to.clone(), self.reserve.clone()];
        invoke(&mint, &infos, &[seeds])
    }

    /// Burns shares of a lender who has signed.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn burn(
        &self,
        from: &AccountInfo<'info>,
        lender: &AccountInfo<'info>,
        shares: u64,
    ) -> Result<()> {
        let burn = spl::burn(
            spl::TOKEN_PROGRAM,
            *from.key,
            *self.mint.key,
            *lender.key,
            shares,
        );
        let infos = [from.clone(), self.mint.clone(), lender.clone()];
        invoke(&burn, &infos, &[])
    }
}

/// Creates an account of another program at a program-derived address, also if somebody sent lamports there before.
///
/// # Errors
/// Those of the system program.
pub fn create_owned<'info>(
    payer: &AccountInfo<'info>,
    account: &AccountInfo<'info>,
    space: usize,
    owner: &Pubkey,
    seeds: &[&[u8]],
) -> Result<()> {
    let rent = Rent::get()?.minimum_balance(space);
    if account.lamports() == 0 {
        // One call instead of three; the system program refuses it where lamports are.
        let create =
            system_instruction::create_account(payer.key, account.key, rent, space as u64, owner);
        return invoke(&create, &[payer.clone(), account.clone()], &[seeds]);
    }
    let missing = rent.saturating_sub(account.lamports());
    if missing > 0 {
        invoke(
            &system_instruction::transfer(payer.key, account.key, missing),
            &[payer.clone(), account.clone()],
            &[],
        )?;
    }
    let accounts = [account.clone()];
    invoke(
        &system_instruction::allocate(account.key, space as u64),
        &accounts,
        &[seeds],
    )?;
    invoke(
        &system_instruction::assign(account.key, owner),
        &accounts,
        &[seeds],
    )?;
    Ok(())
}

/// Token-2022 extensions that neither change balances nor let anybody but the holder move or freeze tokens:
/// MetadataPointer, TokenMetadata, GroupPointer, TokenGroup, GroupMemberPointer, TokenGroupMember.
const SUPPORTED_EXTENSIONS: [u16; 6] = [18, 19, 20, 21, 22, 23];

/// Decimals of a mint that the protocol can hold.
///
/// # Errors
/// [`BallastError::WrongTokenProgram`] if `program` does not own the mint or is no token program,
/// [`BallastError::UnsupportedMint`] for extensions that change balances or block transfers.
pub fn supported_mint_decimals(mint: &AccountInfo, program: &Pubkey) -> Result<u8> {
    let known = *program == spl::TOKEN_PROGRAM || *program == spl::TOKEN_2022_PROGRAM;
    require!(
        known && mint.owner == program,
        BallastError::WrongTokenProgram
    );
    let data = mint.try_borrow_data()?;
    let view = MintView::parse(&data).map_err(|_| BallastError::UnsupportedMint)?;
    for extension in view.extension_types() {
        if !extension.is_some_and(|extension| SUPPORTED_EXTENSIONS.contains(&extension)) {
            msg!("Mint extension {:?} is not supported", extension);
            return err!(BallastError::UnsupportedMint);
        }
    }
    Ok(view.decimals())
}
