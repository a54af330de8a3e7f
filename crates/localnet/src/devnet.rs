//! Devnet on this machine: pool, mints and price accounts at the addresses that devnet's migrations name, and programs where devnet has
//! them. Everything is made in the SVM, by the programs' own instructions where somebody has the keys, and given to a validator as it
//! starts.

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use ballast_client::{Account, Chain, PoolAddresses, Pubkey, Signer};
use tempfile::TempDir;

use crate::{
    localnet::Localnet,
    price::UsdPrice,
    programs::{Program, Programs},
    svm::Svm,
    validator::TestValidator,
    world::{World, WorldConfig},
};

/// Bytes behind the last section of the earlier build, which mean nothing to the loader.
const BEHIND: [u8; 2_000] = [7; 2_000];

/// What devnet has before the first `ballast deploy` of this build.
pub struct Devnet {
    /// The programs at their public addresses. Of Ballast there is an earlier build, which the validator's payer may upgrade: nobody here
    /// has the key of the program's address, with which alone a first one could be deployed.
    pub programs: Programs,
    /// Pool, tick arrays, mints, price accounts, and the wallet of whoever moves the pool's price.
    pub accounts: Vec<(Pubkey, Account)>,
    /// The pool.
    pub pool: PoolAddresses,
    /// How it was set up. A [`World`] around the pool takes it.
    pub config: WorldConfig,
    /// Where the programs' files are.
    _directory: TempDir,
}

impl Devnet {
    /// Makes it.
    ///
    /// # Errors
    /// If a program is missing, or the SVM refuses a step.
    pub async fn prepare() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("ballast-devnet-")
            .tempdir()?;
        let programs = Programs::find()?.at_public_addresses(directory.path())?;
        let svm = Svm::with_programs(programs.clone())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        svm.set_time(i64::try_from(now.as_secs())?);
        let world = World::new(Arc::new(svm.clone()), WorldConfig::devnet()?).await?;
        // The market that is needed to get so far is left behind.
        let accounts = accounts(&svm, &world).await?;
        let market = &world.market.market;
        Ok(Self {
            pool: PoolAddresses {
                program: market.whirlpool_program,
                whirlpool: market.whirlpool,
                base_mint: market.base_mint,
                quote_mint: market.quote_mint,
            },
            programs: Programs {
                ballast: earlier(&programs.ballast, directory.path())?,
                ..programs
            },
            accounts,
            config: world.config,
            _directory: directory,
        })
    }

    /// Starts a validator that has all of it.
    ///
    /// # Errors
    /// As [`TestValidator::start`].
    pub async fn validator(&self) -> Result<TestValidator> {
        let programs = self.programs.clone();
        TestValidator::with_programs_and_accounts(programs, &self.accounts).await
    }

    /// Posts prices of now into the sponsored accounts; quote costs a dollar.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn post_price(&self, net: &dyn Localnet, base: UsdPrice) -> Result<()> {
        let prices = [base, UsdPrice::ONE];
        let ground = self.config.ground;
        ground.post(net, &self.config.feeds, prices).await
    }
}

/// What belongs to pool program and receiver, the mints, the pool's vaults, and whoever moves its price.
async fn accounts(svm: &Svm, world: &World) -> Result<Vec<(Pubkey, Account)>> {
    let mut all = Vec::new();
    for program in [&svm.programs().whirlpool, &svm.programs().pyth] {
        let owned = svm.program_accounts(&program.id, &[]).await?;
        all.extend(owned.accounts);
    }
    let market = &world.market.market;
    let whale = world.market.wallet(&world.whale.pubkey());
    for address in [
        market.base_mint,
        market.quote_mint,
        market.pool_base_vault,
        market.pool_quote_vault,
        world.whale.pubkey(),
        whale.base,
        whale.quote,
    ] {
        let account = svm.account(&address).await?;
        let account = account.with_context(|| format!("{address} does not exist"))?;
        all.push((address, account));
    }
    Ok(all)
}

/// The same program with other bytes.
fn earlier(program: &Program, directory: &Path) -> Result<Program> {
    let mut bytes = program.bytes()?;
    bytes.extend(BEHIND);
    let file = directory.join("earlier.so");
    std::fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Program {
        id: program.id,
        file,
    })
}
