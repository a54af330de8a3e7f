//! What the validator has from its first slot on, because no transaction could bring it about there: a market whose accounts
//! are of version 1 and whose pool owes a reward, one with changes whose notice is over, and one that has heard no price for a
//! week. All are made in the SVM.

use std::{mem::offset_of, sync::Arc, time::SystemTime};

use anyhow::{Context, Result};
use ballast_abi::spl;
use ballast_client::{
    Account, Amounts, Market, Position, PositionContext, Pubkey, Reserve, Reward, Side, Signer,
    ballast, instruction,
};
use ballast_localnet::{Localnet, Svm, Trader, UsdPrice, World, WorldConfig};

/// Longer than the notice for changes.
const AGO_SECS: i64 = 3 * 86_400;
/// Longer than a market waits for a price before it is settled.
const LONG_AGO_SECS: i64 = 8 * 86_400;
/// Feeds that nobody publishes any more.
const RETIRED_FEEDS: [[u8; 32]; 2] = [[0xb1; 32], [0xb2; 32]];
/// Raw units that the pool owes.
pub const REWARD: u64 = 777;

/// Three markets.
pub struct Preloaded {
    /// All that belongs to them.
    pub accounts: Vec<(Pubkey, Account)>,
    /// Accounts of version 1, with a position of `owner`'s.
    pub earlier: World,
    pub owner: Trader,
    pub position: Pubkey,
    pub reward: Reward,
    /// A maintenance LTV and a rate have been announced.
    pub announced: World,
    /// Without a price for so long that `left`, a position of `silent_owner`'s, may be settled.
    pub silent: World,
    pub silent_owner: Trader,
    pub left: PositionContext,
}

impl Preloaded {
    pub async fn make() -> Result<Self> {
        let svm = Svm::start()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let now_secs = i64::try_from(now.as_secs())?;
        svm.set_time(now_secs - LONG_AGO_SECS);
        let (silent, silent_owner, left) = fall_silent(&svm).await?;
        svm.set_time(now_secs - AGO_SECS);
        let world = async |name: &str| {
            let name = name.into();
            let standard = WorldConfig::standard()?;
            World::new(Arc::new(svm.clone()), WorldConfig { name, ..standard }).await
        };
        let (earlier, announced) = (world("earlier").await?, world("announced").await?);
        let funds = Amounts::new(10_000_000_000, 1_000_000_000);
        let owner = earlier.trader("owner", funds).await?;
        let position = earlier.open(&owner, earlier.worked_example(1)?).await?;
        let reward = earlier.set_reward(0, 1_000_000).await?;
        earlier.book_reward(&position, &reward, REWARD).await?;

        let somebody = announced.trader("somebody", funds).await?;
        announced
            .open(&somebody, announced.worked_example(1)?)
            .await?;
        announce(&announced).await?;

        let market = &earlier.market;
        make_earlier(&svm, &market.address, offset_of!(Market, keepers)).await?;
        for side in [Side::Base, Side::Quote] {
            make_earlier(&svm, &market.reserve(side), offset_of!(Reserve, pending)).await?;
        }
        make_earlier(&svm, &position.address, offset_of!(Position, automation)).await?;

        let mut accounts = Vec::new();
        let owners = [
            ballast::ID,
            svm.programs().whirlpool.id,
            spl::TOKEN_PROGRAM,
            spl::TOKEN_2022_PROGRAM,
        ];
        for owner in owners {
            let owned = svm.chain().program_accounts(&owner, &[]).await?;
            accounts.extend(owned.accounts);
        }
        Ok(Self {
            accounts,
            position: position.address,
            earlier,
            owner,
            reward,
            announced,
            silent,
            silent_owner,
            left,
        })
    }
}

/// A market whose last price has left a position with quote, which owes base.
async fn fall_silent(svm: &Svm) -> Result<(World, Trader, PositionContext)> {
    let config = WorldConfig {
        name: "silent".into(),
        feeds: RETIRED_FEEDS,
        ..WorldConfig::standard()?
    };
    let world = World::new(Arc::new(svm.clone()), config).await?;
    let funds = Amounts::new(10_000_000_000, 1_000_000_000);
    let owner = world.trader("owner", funds).await?;
    let position = world.open(&owner, world.worked_example(1)?).await?;
    world.move_price(UsdPrice::dollars(230)).await?;
    let refresh = instruction::refresh_price(&world.market);
    world.send(&owner.keypair, vec![refresh]).await?;
    Ok((world, owner, position))
}

/// Turns an account into one of version 1, in which everything from `new` on was zero.
async fn make_earlier(svm: &Svm, address: &Pubkey, new: usize) -> Result<()> {
    let account = svm.chain().account(address).await?;
    let mut account = account.with_context(|| format!("{address} does not exist"))?;
    account.data[8] = 1;
    account.data[8 + new..].fill(0);
    svm.set_account(address, account).await
}

async fn announce(world: &World) -> Result<()> {
    let (market, authority) = (&world.market, world.authority.pubkey());
    let mut params = market.market.params();
    params.limits.maintenance_ltv_bps -= 100;
    let mut reserve = world.snapshot().await?.reserve(Side::Base).params();
    reserve.rate_at_full_bps += 100;
    let mut safety = market.market.safety;
    safety.grace_secs += 1;
    let mut source = market.market.oracle_source();
    source.base_price_account = Pubkey::default();
    let updates = vec![
        instruction::update_market(
            &market.address,
            &market.market.whirlpool,
            &authority,
            params,
        ),
        instruction::update_reserve(market, &authority, Side::Base, reserve),
        instruction::update_safety(&market.address, &authority, safety),
        instruction::announce_oracle(&market.address, &authority, source),
    ];
    world.send(&world.authority, updates).await?;
    Ok(())
}
