//! Prices out of verified messages, as the receiver posts them. It takes no fee.

use anchor_lang::prelude::*;
use ballast_abi::pyth::{
    DataSource as Source, PriceMessage, PriceUpdate, ReceiverConfig, SignedRoot, UpdateError, Vaa,
    Verification, receiver, root_of,
    wormhole::{EncodedVaa, VaaStatus},
};

use crate::{PythError, create::create};

/// The receiver's settings.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct Config {
    /// May change them; not here.
    pub governance_authority: Pubkey,
    /// Is to be that authority.
    pub target_governance_authority: Option<Pubkey>,
    /// Program that verifies signed messages: this one.
    pub wormhole: Pubkey,
    /// Senders whose messages are taken.
    pub valid_data_sources: Vec<DataSource>,
    /// Fee of an update; none is taken here.
    pub single_update_fee_in_lamports: u64,
    /// Signatures that a partly verified update needs; there are none here.
    pub minimum_signatures: u8,
}

/// A sender of messages.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct DataSource {
    /// Its chain.
    pub chain: u16,
    /// Its address there.
    pub emitter: Pubkey,
}

/// Accounts of `initialize`.
#[derive(Accounts)]
pub struct Initialize<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub config: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

/// A price message with its way to the signed root.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct MerklePriceUpdate {
    /// The message.
    pub message: Vec<u8>,
    /// Hashes beside the way.
    pub proof: Vec<[u8; 20]>,
}

/// Arguments of `post_update`.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct PostUpdateParams {
    /// The price.
    pub merkle_price_update: MerklePriceUpdate,
    /// Which treasury takes the fee.
    pub treasury_id: u8,
}

/// Accounts of `post_update`.
#[derive(Accounts)]
pub struct PostUpdate<'info> {
    /// Pays the rent.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// CHECK: owner, layout, status.
    pub encoded_vaa: UncheckedAccount<'info>,
    /// CHECK: address and owner.
    #[account(owner = crate::ID)]
    pub config: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub treasury: UncheckedAccount<'info>,
    /// CHECK: new, or a price account of this authority's.
    #[account(mut)]
    pub price_update_account: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
    /// May write the price account from now on.
    pub write_authority: Signer<'info>,
}

pub(crate) fn initialize(ctx: Context<Initialize>, settings: Config) -> Result<()> {
    let Initialize {
        payer,
        config,
        system_program,
    } = ctx.accounts;
    let (address, bump) = Pubkey::find_program_address(&[b"config"], &crate::ID);
    require_keys_eq!(address, *config.key, ErrorCode::ConstraintSeeds);
    let seeds: &[&[u8]] = &[b"config", &[bump]];
    create(
        payer,
        config,
        system_program,
        ReceiverConfig::LENGTH,
        &[seeds],
    )?;
    let mut bytes = ReceiverConfig::DISCRIMINATOR.to_vec();
    settings.serialize(&mut bytes)?;
    let mut data = config.try_borrow_mut_data()?;
    let held = data
        .get_mut(..bytes.len())
        .ok_or(ErrorCode::AccountDidNotSerialize)?;
    held.copy_from_slice(&bytes);
    Ok(())
}

pub(crate) fn post_update(ctx: Context<PostUpdate>, params: PostUpdateParams) -> Result<()> {
    let accounts = ctx.accounts;
    let expected = receiver::config(&crate::ID);
    require_keys_eq!(expected, *accounts.config.key, ErrorCode::ConstraintSeeds);
    let treasury = receiver::treasury(&crate::ID, params.treasury_id);
    require_keys_eq!(treasury, *accounts.treasury.key, ErrorCode::ConstraintSeeds);
    let settings = ReceiverConfig::parse(&accounts.config.try_borrow_data()?)
        .map_err(|_| ErrorCode::AccountDidNotDeserialize)?;
    require_keys_eq!(
        *accounts.encoded_vaa.owner,
        settings.wormhole,
        PythError::WrongVaaOwner
    );
    let price = verified_price(
        &settings,
        &accounts.encoded_vaa.try_borrow_data()?,
        &params.merkle_price_update,
    )?;
    own_price_account(accounts)?;
    let posted = price.posted(*accounts.write_authority.key, Clock::get()?.slot);
    let mut data = accounts.price_update_account.try_borrow_mut_data()?;
    data.copy_from_slice(&posted.encode(Verification::Full));
    Ok(())
}

/// The price, if it comes from a trusted sender and is under the root that was sent.
fn verified_price(
    settings: &ReceiverConfig,
    encoded_vaa: &[u8],
    update: &MerklePriceUpdate,
) -> Result<PriceMessage> {
    let encoded =
        EncodedVaa::parse(encoded_vaa).map_err(|_| ErrorCode::AccountDidNotDeserialize)?;
    require!(
        encoded.status == VaaStatus::Verified,
        PythError::UnverifiedVaa
    );
    let vaa = Vaa::parse(encoded.vaa).map_err(|_| PythError::CannotParseVaa)?;
    let source = Source {
        chain: vaa.emitter_chain,
        emitter: vaa.emitter_address.into(),
    };
    require!(
        settings.sources.contains(&source),
        PythError::InvalidDataSource
    );
    let signed = SignedRoot::parse(vaa.payload).map_err(|_| PythError::InvalidWormholeMessage)?;
    let keccak = |parts: &[&[u8]]| solana_keccak_hasher::hashv(parts).to_bytes();
    let root = root_of(&update.message, &update.proof, keccak);
    require!(root == signed.root, PythError::InvalidPriceUpdate);
    PriceMessage::parse(&update.message).map_err(|error| match error {
        UpdateError::Value { .. } => error!(PythError::UnsupportedMessageType),
        _ => error!(PythError::DeserializeMessageFailed),
    })
}

/// Creates the price account, or checks that it is one of the write authority's.
fn own_price_account(accounts: &PostUpdate) -> Result<()> {
    let account = &accounts.price_update_account;
    if *account.owner == System::id() {
        let space = PriceUpdate::LENGTH;
        return create(
            &accounts.payer,
            account,
            &accounts.system_program,
            space,
            &[],
        );
    }
    require_keys_eq!(
        *account.owner,
        crate::ID,
        ErrorCode::AccountOwnedByWrongProgram
    );
    let data = account.try_borrow_data()?;
    let authority = data
        .strip_prefix(&PriceUpdate::DISCRIMINATOR)
        .filter(|rest| rest.len() + 8 == PriceUpdate::LENGTH)
        .and_then(|rest| rest.first_chunk::<32>())
        .ok_or(ErrorCode::AccountDidNotDeserialize)?;
    require_keys_eq!(
        Pubkey::from(*authority),
        *accounts.write_authority.key,
        PythError::WrongWriteAuthority
    );
    Ok(())
}
