//! The NFT of a position: a Token-2022 mint with one token and no mint authority, closed with the position.

use anchor_lang::{
    prelude::*,
    solana_program::program::{invoke, invoke_signed},
};
use ballast_abi::spl;

use crate::account::Creation;

/// Accounts of a position and its NFT.
pub struct Nft<'a, 'info> {
    pub position: &'a AccountInfo<'info>,
    pub mint: &'a AccountInfo<'info>,
    pub token_account: &'a AccountInfo<'info>,
    pub token_2022_program: &'a AccountInfo<'info>,
}

/// The metadata that the real program writes into an NFT names the pool; the stand-in's (name, symbol, URI) only has to
/// exist.
const METADATA: [&str; 3] = ["Localnet Whirlpool Position", "LWP", ""];

/// A mint that can be closed: padding, kind, one extension of an address.
const MINT_LENGTH: usize = spl::TOKEN_ACCOUNT_LENGTH + 1 + 4 + 32;
/// What the pointer to the metadata takes: an extension of two addresses.
const METADATA_POINTER_LENGTH: usize = 4 + 64;

impl<'info> Nft<'_, 'info> {
    /// Creates the mint, whose account signs.
    pub fn create_mint(&self, creation: &Creation<'_, 'info>, with_metadata: bool) -> Result<()> {
        let (space, grown) = if with_metadata {
            let space = MINT_LENGTH + METADATA_POINTER_LENGTH;
            (space, space + metadata_length())
        } else {
            (MINT_LENGTH, MINT_LENGTH)
        };
        // Token-2022 grows the account for the metadata and wants its rent to be there already.
        let rent = Rent::get()?;
        let metadata_rent = rent.minimum_balance(grown) - rent.minimum_balance(space);
        let (program, mint) = (*self.token_2022_program.key, *self.mint.key);
        let position = *self.position.key;
        creation.create(self.mint, space, metadata_rent, &program, &[])?;
        let infos = [self.mint.clone()];
        invoke(
            &spl::initialize_mint_close_authority(program, mint, position),
            &infos,
        )?;
        if with_metadata {
            invoke(&spl::initialize_metadata_pointer(program, mint), &infos)?;
        }
        invoke(
            &spl::initialize_freezable_mint(program, mint, position, Some(position), 0),
            &infos,
        )?;
        Ok(())
    }

    /// Writes the metadata; `update_authority` may change it later.
    pub fn write_metadata(
        &self,
        update_authority: &AccountInfo<'info>,
        seeds: &[&[u8]],
    ) -> Result<()> {
        let initialize = spl::initialize_metadata(
            *self.token_2022_program.key,
            *self.mint.key,
            *update_authority.key,
            *self.position.key,
            METADATA,
        );
        let infos = [
            self.mint.clone(),
            update_authority.clone(),
            self.position.clone(),
        ];
        Ok(invoke_signed(&initialize, &infos, &[seeds])?)
    }

    /// Creates the token account of `owner`, mints the one token into it and gives up the mint authority.
    pub fn mint_to_owner(
        &self,
        creation: &Creation<'_, 'info>,
        owner: &AccountInfo<'info>,
        seeds: &[&[u8]],
    ) -> Result<()> {
        let (program, mint) = (*self.token_2022_program.key, *self.mint.key);
        let (token_account, position) = (*self.token_account.key, *self.position.key);
        let create = spl::create_associated_token_account(
            *creation.funder.key,
            token_account,
            *owner.key,
            mint,
            program,
        );
        let infos = [
            creation.funder.clone(),
            self.token_account.clone(),
            owner.clone(),
            self.mint.clone(),
            creation.system_program.clone(),
            self.token_2022_program.clone(),
        ];
        invoke(&create, &infos)?;
        let infos = [
            self.mint.clone(),
            self.token_account.clone(),
            self.position.clone(),
        ];
        let mint_one = spl::mint_to(program, mint, token_account, position, 1);
        invoke_signed(&mint_one, &infos, &[seeds])?;
        let give_up = spl::revoke_mint_authority(program, mint, position);
        Ok(invoke_signed(&give_up, &infos, &[seeds])?)
    }

    /// Burns the token and closes its account and the mint; all rent goes to `receiver`.
    pub fn burn(
        &self,
        authority: &AccountInfo<'info>,
        receiver: &AccountInfo<'info>,
        seeds: &[&[u8]],
    ) -> Result<()> {
        let (program, mint) = (*self.token_2022_program.key, *self.mint.key);
        let token_account = *self.token_account.key;
        let infos = [
            self.token_account.clone(),
            self.mint.clone(),
            receiver.clone(),
            authority.clone(),
            self.position.clone(),
        ];
        let burn = spl::burn(program, token_account, mint, *authority.key, 1);
        invoke(&burn, &infos)?;
        let close = spl::close_account(program, token_account, *receiver.key, *authority.key);
        invoke(&close, &infos)?;
        let close_mint = spl::close_account(program, mint, *receiver.key, *self.position.key);
        Ok(invoke_signed(&close_mint, &infos, &[seeds])?)
    }
}

/// Bytes by which the mint account grows: type and length, two addresses, three texts, an empty list.
fn metadata_length() -> usize {
    let texts: usize = METADATA.iter().map(|text| 4 + text.len()).sum();
    4 + 64 + texts + 4
}
