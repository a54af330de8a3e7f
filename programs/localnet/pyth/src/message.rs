//! Signed messages, as the Wormhole program keeps them while they are written and verified. No signature is checked.

use anchor_lang::prelude::*;
use ballast_abi::pyth::{
    Vaa,
    wormhole::{EncodedVaa, VaaStatus, guardian_set},
};

use crate::PythError;

/// Accounts of `init_encoded_vaa`.
#[derive(Accounts)]
pub struct InitEncodedVaa<'info> {
    /// May write, verify and close it.
    pub write_authority: Signer<'info>,
    /// CHECK: owner, and that it is all zero.
    #[account(mut, owner = crate::ID)]
    pub encoded_vaa: UncheckedAccount<'info>,
}

/// Accounts of `write_encoded_vaa`.
#[derive(Accounts)]
pub struct WriteEncodedVaa<'info> {
    /// The write authority.
    pub write_authority: Signer<'info>,
    /// CHECK: owner, layout, authority, status.
    #[account(mut, owner = crate::ID)]
    pub draft_vaa: UncheckedAccount<'info>,
}

/// Arguments of `write_encoded_vaa`.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct WriteEncodedVaaArgs {
    /// Where in the message.
    pub index: u32,
    /// The part.
    pub data: Vec<u8>,
}

/// Accounts of `verify_encoded_vaa_v1`.
#[derive(Accounts)]
pub struct VerifyEncodedVaaV1<'info> {
    /// The write authority.
    pub write_authority: Signer<'info>,
    /// CHECK: owner, layout, authority, status.
    #[account(mut, owner = crate::ID)]
    pub draft_vaa: UncheckedAccount<'info>,
    /// CHECK: address; there need not be any guardians here.
    pub guardian_set: UncheckedAccount<'info>,
}

/// Accounts of `close_encoded_vaa`.
#[derive(Accounts)]
pub struct CloseEncodedVaa<'info> {
    /// The write authority.
    #[account(mut)]
    pub write_authority: Signer<'info>,
    /// CHECK: owner, layout, authority.
    #[account(mut, owner = crate::ID)]
    pub encoded_vaa: UncheckedAccount<'info>,
}

pub(crate) fn init_encoded_vaa(ctx: Context<InitEncodedVaa>) -> Result<()> {
    let InitEncodedVaa {
        write_authority,
        encoded_vaa,
    } = ctx.accounts;
    let mut data = encoded_vaa.try_borrow_mut_data()?;
    let (header, vaa) = data
        .split_first_chunk_mut()
        .filter(|(_, vaa)| !vaa.is_empty())
        .ok_or(PythError::InvalidCreatedAccountSize)?;
    require!(
        *header == [0; EncodedVaa::HEADER],
        ErrorCode::AccountDiscriminatorAlreadySet
    );
    *header = EncodedVaa::header(VaaStatus::Writing, write_authority.key, vaa.len());
    Ok(())
}

pub(crate) fn write_encoded_vaa(
    ctx: Context<WriteEncodedVaa>,
    args: WriteEncodedVaaArgs,
) -> Result<()> {
    let WriteEncodedVaa {
        write_authority,
        draft_vaa,
    } = ctx.accounts;
    let mut data = draft_vaa.try_borrow_mut_data()?;
    require_draft(&data, write_authority.key)?;
    require!(!args.data.is_empty(), PythError::DataOverflow);
    let start = EncodedVaa::HEADER.saturating_add(args.index as usize);
    let part = data
        .get_mut(start..)
        .and_then(|rest| rest.get_mut(..args.data.len()))
        .ok_or(PythError::DataOverflow)?;
    part.copy_from_slice(&args.data);
    Ok(())
}

pub(crate) fn verify_encoded_vaa_v1(ctx: Context<VerifyEncodedVaaV1>) -> Result<()> {
    let VerifyEncodedVaaV1 {
        write_authority,
        draft_vaa,
        guardian_set: guardians,
    } = ctx.accounts;
    let mut data = draft_vaa.try_borrow_mut_data()?;
    let draft = require_draft(&data, write_authority.key)?;
    let vaa = Vaa::parse(draft.vaa).map_err(|_| PythError::CannotParseVaa)?;
    let expected = guardian_set(&crate::ID, vaa.guardian_set_index);
    require_keys_eq!(expected, *guardians.key, ErrorCode::ConstraintSeeds);
    let header = EncodedVaa::header(VaaStatus::Verified, write_authority.key, draft.vaa.len());
    data[..EncodedVaa::HEADER].copy_from_slice(&header);
    Ok(())
}

pub(crate) fn close_encoded_vaa(ctx: Context<CloseEncodedVaa>) -> Result<()> {
    let CloseEncodedVaa {
        write_authority,
        encoded_vaa,
    } = ctx.accounts;
    require_own(&encoded_vaa.try_borrow_data()?, write_authority.key)?;
    let lamports = encoded_vaa.lamports();
    write_authority.add_lamports(lamports)?;
    encoded_vaa.sub_lamports(lamports)?;
    encoded_vaa.assign(&System::id());
    encoded_vaa.resize(0)?;
    Ok(())
}

fn require_own<'a>(data: &'a [u8], write_authority: &Pubkey) -> Result<EncodedVaa<'a>> {
    let found = EncodedVaa::parse(data).map_err(|_| ErrorCode::AccountDidNotDeserialize)?;
    require_keys_eq!(
        found.write_authority,
        *write_authority,
        PythError::WriteAuthorityMismatch
    );
    Ok(found)
}

fn require_draft<'a>(data: &'a [u8], write_authority: &Pubkey) -> Result<EncodedVaa<'a>> {
    let found = EncodedVaa::parse(data).map_err(|_| ErrorCode::AccountDidNotDeserialize)?;
    require!(
        found.status == VaaStatus::Writing,
        PythError::NotInWritingStatus
    );
    require_own(data, write_authority)
}
