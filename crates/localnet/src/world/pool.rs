//! The pool: set-up, background liquidity, tick arrays.

use anyhow::{Context, Result};
use ballast_abi::{
    spl,
    whirlpool::{
        array_start,
        instruction::{
            IncreaseLiquidityV2, InitializeConfig, InitializeConfigAccounts, InitializeFeeTier,
            InitializeFeeTierAccounts, InitializePoolV2, InitializePoolV2Accounts,
            METADATA_UPDATE_AUTHORITY, ModifyLiquidityV2Accounts, OpenPositionWithTokenExtensions,
            OpenPositionWithTokenExtensionsAccounts,
        },
        layout, pda,
    },
};
use ballast_client::{
    Account, Band, Instruction, PoolAddresses, PoolState, Pubkey, Signer, Tick, existing,
    instruction,
};
use ballast_model::liquidity_for_value_down;

use super::{BASE_DECIMALS, QUOTE_DECIMALS, World, WorldConfig};
use crate::{
    keys,
    localnet::{Localnet, LocalnetExt},
    price::UsdPrice,
};

/// Protocol's part of the fee, as on public clusters, 1e-4.
pub const PROTOCOL_FEE_RATE_BPS: u16 = 1_300;
/// Ticks to an eightfold price: 8 = 1.0001^20796.
const BACKGROUND_TICKS: i32 = 20_796;
/// Tick arrays that are created in one transaction.
const ARRAYS_PER_TRANSACTION: usize = 8;

/// Swap fee of a tick spacing as on public clusters, 1e-6.
pub(super) fn fee_rate_ppm(tick_spacing: u16) -> Result<u16> {
    match tick_spacing {
        1 => Ok(100),
        2 => Ok(200),
        4 => Ok(400),
        8 => Ok(500),
        64 => Ok(3_000),
        128 => Ok(10_000),
        _ => {
            anyhow::bail!(
                "tick spacing {tick_spacing} has no fee tier here: use 1, 2, 4, 8, 64 or 128"
            )
        }
    }
}

/// Config, fee tier and pool at the first price.
pub(super) async fn create(
    net: &dyn Localnet,
    world: &WorldConfig,
    [base_mint, quote_mint]: [Pubkey; 2],
) -> Result<PoolAddresses> {
    let program = net.programs().whirlpool.id;
    let payer = net.payer().pubkey();
    let spacing = world.tick_spacing;
    let config = create_config(net, world).await?;
    let (fee_tier, _) = pda::fee_tier(&program, &config, spacing);
    let (whirlpool, _) = pda::pool(&program, &config, &base_mint, &quote_mint, spacing);
    let (vault_a, vault_b) = (world.key("pool base vault"), world.key("pool quote vault"));
    let initial = world
        .start_price
        .sqrt_price(UsdPrice::ONE, BASE_DECIMALS, QUOTE_DECIMALS)?;
    let accounts = InitializePoolV2Accounts {
        config,
        mint_a: base_mint,
        mint_b: quote_mint,
        token_badge_a: pda::token_badge(&program, &config, &base_mint).0,
        token_badge_b: pda::token_badge(&program, &config, &quote_mint).0,
        funder: payer,
        pool: whirlpool,
        vault_a: vault_a.pubkey(),
        vault_b: vault_b.pubkey(),
        fee_tier,
        token_program_a: spl::TOKEN_PROGRAM,
        token_program_b: spl::TOKEN_PROGRAM,
        system_program: spl::SYSTEM_PROGRAM,
        rent: spl::RENT_SYSVAR,
    };
    let create_pool = InitializePoolV2 {
        tick_spacing: spacing,
        initial_sqrt_price: initial.x64(),
    };
    net.execute(
        vec![create_pool.instruction(program, &accounts)],
        &[&vault_a, &vault_b],
    )
    .await
    .context("pool")?;
    Ok(PoolAddresses {
        program,
        whirlpool,
        base_mint,
        quote_mint,
    })
}

/// Config and fee tier; the config's address.
async fn create_config(net: &dyn Localnet, world: &WorldConfig) -> Result<Pubkey> {
    let program = net.programs().whirlpool.id;
    let payer = net.payer().pubkey();
    let spacing = world.tick_spacing;
    let fee_rate = fee_rate_ppm(spacing)?;
    let key = world.key("whirlpools config");
    let config = world.ground.whirlpools_config(&key.pubkey());
    let (fee_tier, _) = pda::fee_tier(&program, &config, spacing);
    // The real program lets only its administrators create these, and nobody has the key of an address of a public cluster.
    if net.programs().real_whirlpool || config != key.pubkey() {
        write_config(net, &config, &fee_tier, spacing, fee_rate).await?;
        return Ok(config);
    }
    let create_config = InitializeConfig {
        fee_authority: payer,
        collect_protocol_fees_authority: payer,
        reward_emissions_super_authority: payer,
        default_protocol_fee_rate_bps: PROTOCOL_FEE_RATE_BPS,
    };
    let config_accounts = InitializeConfigAccounts {
        config,
        funder: payer,
        system_program: spl::SYSTEM_PROGRAM,
    };
    let create_tier = InitializeFeeTier {
        tick_spacing: spacing,
        default_fee_rate_ppm: fee_rate,
    };
    let tier_accounts = InitializeFeeTierAccounts {
        config,
        fee_tier,
        funder: payer,
        fee_authority: payer,
        system_program: spl::SYSTEM_PROGRAM,
    };
    let instructions = vec![
        create_config.instruction(program, &config_accounts),
        create_tier.instruction(program, &tier_accounts),
    ];
    net.execute(instructions, &[&key])
        .await
        .context("config and fee tier")?;
    Ok(config)
}

/// Config and fee tier as accounts.
async fn write_config(
    net: &dyn Localnet,
    config: &Pubkey,
    fee_tier: &Pubkey,
    tick_spacing: u16,
    fee_rate_ppm: u16,
) -> Result<()> {
    let payer = net.payer().pubkey();
    let mut config_data = vec![0; layout::config::LENGTH];
    put(&mut config_data, 0, &layout::config::DISCRIMINATOR);
    for offset in [
        layout::config::FEE_AUTHORITY,
        layout::config::COLLECT_PROTOCOL_FEES_AUTHORITY,
        layout::config::REWARD_EMISSIONS_SUPER_AUTHORITY,
    ] {
        put(&mut config_data, offset, payer.as_ref());
    }
    put(
        &mut config_data,
        layout::config::DEFAULT_PROTOCOL_FEE_RATE,
        &PROTOCOL_FEE_RATE_BPS.to_le_bytes(),
    );
    let mut tier_data = vec![0; layout::fee_tier::LENGTH];
    put(&mut tier_data, 0, &layout::fee_tier::DISCRIMINATOR);
    put(&mut tier_data, layout::fee_tier::CONFIG, config.as_ref());
    put(
        &mut tier_data,
        layout::fee_tier::TICK_SPACING,
        &tick_spacing.to_le_bytes(),
    );
    put(
        &mut tier_data,
        layout::fee_tier::DEFAULT_FEE_RATE,
        &fee_rate_ppm.to_le_bytes(),
    );
    for (address, data) in [(config, config_data), (fee_tier, tier_data)] {
        let account = Account {
            lamports: net.chain().rent_lamports(data.len()).await?,
            data,
            owner: net.programs().whirlpool.id,
            executable: false,
            rent_epoch: u64::MAX,
        };
        net.set_account(address, account).await?;
    }
    Ok(())
}

fn put(data: &mut [u8], offset: usize, bytes: &[u8]) {
    data[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl World {
    /// Opens the whale's position around the first price.
    pub(super) async fn add_background_liquidity(&self) -> Result<()> {
        let spacing = self.config.tick_spacing;
        let state = self.pool().await?;
        let current = state.sqrt_price.tick();
        let lower = Tick::new(current.get() - BACKGROUND_TICKS)?.align_down(spacing)?;
        let upper = Tick::new(current.get() + BACKGROUND_TICKS)?.align_up(spacing)?;
        let band = Band::new(lower, upper)?;
        let liquidity = liquidity_for_value_down(
            &band,
            u128::from(self.config.background_value),
            state.sqrt_price,
        )?;
        let needed = band.amounts_up(liquidity, state.sqrt_price)?;

        let whale = self.whale.pubkey();
        self.mint_to(&whale, self.config.ground.plenty()).await?;
        self.create_tick_arrays([lower.get(), upper.get()]).await?;

        let market = &self.market.market;
        let (program, pool) = (market.whirlpool_program, market.whirlpool);
        let mint = keys::named(&format!("{}/whale position", self.config.name));
        let position = pda::position(&program, &mint.pubkey()).0;
        let nft = spl::associated_token_account(&whale, &mint.pubkey(), &spl::TOKEN_2022_PROGRAM).0;
        let open = OpenPositionWithTokenExtensionsAccounts {
            funder: whale,
            owner: whale,
            position,
            position_mint: mint.pubkey(),
            position_token_account: nft,
            pool,
            token_2022_program: spl::TOKEN_2022_PROGRAM,
            system_program: spl::SYSTEM_PROGRAM,
            associated_token_program: spl::ASSOCIATED_TOKEN_PROGRAM,
            metadata_update_authority: METADATA_UPDATE_AUTHORITY,
        };
        let open_args = OpenPositionWithTokenExtensions {
            tick_lower: lower.get(),
            tick_upper: upper.get(),
            with_metadata: false,
        };
        let [array_lower, array_upper] = self.market.band_array_starts([lower.get(), upper.get()]);
        let wallet = self.market.wallet(&whale);
        let provide = ModifyLiquidityV2Accounts {
            pool,
            token_program_a: self.market.base.program,
            token_program_b: self.market.quote.program,
            memo_program: spl::MEMO_PROGRAM,
            position_authority: whale,
            position,
            position_token_account: nft,
            mint_a: market.base_mint,
            mint_b: market.quote_mint,
            owner_account_a: wallet.base,
            owner_account_b: wallet.quote,
            vault_a: market.pool_base_vault,
            vault_b: market.pool_quote_vault,
            tick_array_lower: self.market.tick_array(array_lower),
            tick_array_upper: self.market.tick_array(array_upper),
        };
        let provide_args = IncreaseLiquidityV2 {
            liquidity,
            max_a: needed.base,
            max_b: needed.quote,
        };
        let instructions = [
            open_args.instruction(program, &open),
            provide_args.instruction(program, &provide),
        ];
        let request = ballast_client::Request::new(&self.whale, instructions)
            .signer(&mint)
            .tables(&self.tables);
        self.sender.send(&request).await?;
        Ok(())
    }

    /// The pool now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn pool(&self) -> Result<PoolState> {
        let address = &self.market.market.whirlpool;
        let account = self
            .net
            .chain()
            .account(address)
            .await?
            .context("the pool is gone")?;
        Ok(PoolState::parse(&account.data)?)
    }

    /// Creates the tick arrays that hold these ticks, as far as they do not exist.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn create_tick_arrays(&self, ticks: impl IntoIterator<Item = i32>) -> Result<()> {
        let spacing = self.config.tick_spacing;
        let mut starts: Vec<_> = ticks
            .into_iter()
            .map(|tick| array_start(tick, spacing))
            .collect();
        starts.sort_unstable();
        starts.dedup();
        let payer = self.net.payer().pubkey();
        for some in starts.chunks(ARRAYS_PER_TRANSACTION) {
            let addresses: Vec<_> = some
                .iter()
                .map(|start| self.market.tick_array(*start))
                .collect();
            let found = self.net.chain().accounts(&addresses).await?.accounts;
            let missing = some
                .iter()
                .zip(&found)
                .filter(|(_, account)| existing(account.as_ref()).is_none());
            let create: Vec<Instruction> = missing
                .map(|(start, _)| instruction::create_tick_array(&self.market, &payer, *start))
                .collect();
            if !create.is_empty() {
                self.net
                    .execute(create, &[])
                    .await
                    .context("creating tick arrays")?;
            }
        }
        Ok(())
    }
}
