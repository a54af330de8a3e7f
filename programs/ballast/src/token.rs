//! Token accounts and transfers, for SPL Token and Token-2022 alike.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::{program::invoke_signed, rent::Rent, system_instruction};
use anchor_spl::{
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
        state::Mint as MintState,
    },
    token_interface,
};

use crate::errors::BallastError;

/// Offset of the amount in every token account of either program.
const AMOUNT_OFFSET: usize = 64;
/// Size of a token account without extensions.
const TOKEN_ACCOUNT_LEN: usize = 165;

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
        let accounts = token_interface::TransferChecked {
            from: from.clone(),
            mint: self.mint.clone(),
            to: to.clone(),
            authority: authority.clone(),
        };
        let context = CpiContext::new_with_signer(*self.program.key, accounts, seeds);
        token_interface::transfer_checked(context, amount, self.decimals)
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
        create_owned(payer, account, TOKEN_ACCOUNT_LEN, self.program.key, seeds)?;
        let accounts = token_interface::InitializeAccount3 {
            account: account.clone(),
            mint: self.mint.clone(),
            authority: owner.clone(),
        };
        token_interface::initialize_account3(CpiContext::new(*self.program.key, accounts))
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
        let accounts = token_interface::CloseAccount {
            account: account.clone(),
            destination: destination.clone(),
            authority: authority.clone(),
        };
        token_interface::close_account(CpiContext::new_with_signer(
            *self.program.key,
            accounts,
            seeds,
        ))
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
    let missing = rent.saturating_sub(account.lamports());
    if missing > 0 {
        invoke_signed(
            &system_instruction::transfer(payer.key, account.key, missing),
            &[payer.clone(), account.clone()],
            &[],
        )?;
    }
    let accounts = [account.clone()];
    invoke_signed(
        &system_instruction::allocate(account.key, space as u64),
        &accounts,
        &[seeds],
    )?;
    invoke_signed(
        &system_instruction::assign(account.key, owner),
        &accounts,
        &[seeds],
    )?;
    Ok(())
}

/// Extensions that neither change balances nor let anybody but the holder move or freeze tokens in bulk.
const SUPPORTED_EXTENSIONS: [ExtensionType; 6] = [
    ExtensionType::MetadataPointer,
    ExtensionType::TokenMetadata,
    ExtensionType::GroupPointer,
    ExtensionType::TokenGroup,
    ExtensionType::GroupMemberPointer,
    ExtensionType::TokenGroupMember,
];

/// Decimals of a mint that the protocol can hold.
///
/// # Errors
/// [`BallastError::WrongTokenProgram`] if `program` does not own the mint or is no token program,
/// [`BallastError::UnsupportedMint`] for extensions that change balances or block transfers.
pub fn supported_mint_decimals(mint: &AccountInfo, program: &Pubkey) -> Result<u8> {
    let known = *program == anchor_spl::token::ID || *program == anchor_spl::token_2022::ID;
    require!(
        known && mint.owner == program,
        BallastError::WrongTokenProgram
    );
    let data = mint.try_borrow_data()?;
    let state = StateWithExtensions::<MintState>::unpack(&data)
        .map_err(|_| BallastError::UnsupportedMint)?;
    if *program == anchor_spl::token_2022::ID {
        let extensions = state
            .get_extension_types()
            .map_err(|_| BallastError::UnsupportedMint)?;
        for extension in extensions {
            if !SUPPORTED_EXTENSIONS.contains(&extension) {
                msg!("Mint extension {:?} is not supported", extension);
                return err!(BallastError::UnsupportedMint);
            }
        }
    }
    Ok(state.base.decimals)
}
