//! A market as it is now, with all of its positions and everybody's liquidity.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result, ensure};
use ballast_abi::whirlpool::{
    PoolView, PositionView, TICKS_PER_ARRAY, TickArrayView, TickState,
    fees::{TickAt, fee_growth_inside_x64, fees_earned_down},
    layout::{dynamic_tick_array, fixed_tick_array},
};
use ballast_client::{
    AccountFilter, Amounts, Chain, MarketContext, PositionContext, Positions, Pubkey,
    RecordedChain, existing,
};
use ballast_simulator::{
    Units,
    ticks::SwapFee,
    world::{
        Parts, PerpAccount,
        live::{ReadMarket, ReadPosition},
    },
};
use ballast_strategy::situation::Economics;
use clap::Args;

use crate::{
    connection::Connection,
    decimal::{Decimal, Ratio},
    globals::Globals,
    progress,
    report::note,
    target::{self, MarketArgs},
};

/// Which market.
#[derive(Args, Clone, Debug)]
pub struct LiveArgs {
    /// Play with a market as it is now, at --url, instead of with a book, under its own limits and rules
    #[arg(long, conflicts_with = "migrations")]
    pub live: bool,
    /// The same market once more, as `--live --out DIR` read it: the file accounts.json from there. Say --market again if it was said, no node
    /// is asked
    #[arg(long, value_name = "FILE", conflicts_with_all = ["live", "migrations"])]
    pub accounts: Option<PathBuf>,
    #[command(flatten)]
    pub market: MarketArgs,
    /// Whole base tokens that liquidators could bring
    #[arg(long, value_name = "AMOUNT", default_value = "1000000")]
    pub liquidators_base: Decimal,
    /// Whole quote tokens that liquidators could bring
    #[arg(long, value_name = "AMOUNT", default_value = "100000000")]
    pub liquidators_quote: Decimal,
    /// Base held at a perp venue beside the market, negative for a short: a chain does not say what a desk holds elsewhere. Without it
    /// funding and the venue's price touch nobody
    #[arg(long, value_name = "AMOUNT", conflicts_with = "book", allow_negative_numbers = true, value_parser = crate::decimal::signed)]
    pub perp_size: Option<f64>,
    /// Whole quote tokens put up there
    #[arg(long, value_name = "AMOUNT", requires = "perp_size")]
    pub perp_margin: Option<Decimal>,
    /// Part of its value below which the venue closes it
    #[arg(
        long,
        value_name = "RATIO",
        default_value = "3%",
        requires = "perp_size"
    )]
    pub perp_maintenance: Ratio,
}

/// Reads it, and says in a file's words which accounts were read.
///
/// # Errors
/// A node that does not answer, accounts that do not fit together.
pub fn parts(args: &LiveArgs, globals: &Globals, economics: Economics) -> Result<(Parts, String)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads for network work")?;
    let connection = Connection::new(globals);
    let bar = progress::spinner("reading the market");
    let chain = match &args.accounts {
        None => RecordedChain::of(connection.chain()),
        Some(path) => {
            let named = || format!("--accounts {}", path.display());
            let text = super::read("--accounts", path)?;
            RecordedChain::from_json(&text).with_context(named)?
        }
    };
    let read = runtime.block_on(read(args, &chain, economics));
    bar.finish_and_clear();
    let read = read?;
    let market = read.market.address;
    let mut parts = read.open().with_context(|| {
        format!("market {market}: pool and positions were read at two moments; try again")
    })?;
    parts.perp = args.perp(parts.units)?;
    Ok((parts, chain.to_json()))
}

impl LiveArgs {
    /// Whether a market is played with, and no book.
    pub fn is_market(&self) -> bool {
        self.live || self.accounts.is_some()
    }

    /// What is held at a perp venue beside the market.
    fn perp(&self, units: Units) -> Result<Option<PerpAccount>> {
        let Some(size) = self.perp_size else {
            return Ok(None);
        };
        let margin = self.perp_margin.as_ref().context(
            "--perp-margin is missing: a venue asks for margin beside --perp-size, in the quote token",
        )?;
        let margin = margin.raw(units.quote_decimals).context("--perp-margin")?;
        Ok(Some(PerpAccount {
            size,
            margin: margin.into(),
            maintenance: self.perp_maintenance.f64(),
            follows: None,
        }))
    }
}

async fn read(args: &LiveArgs, chain: &dyn Chain, economics: Economics) -> Result<ReadMarket> {
    let market = target::load(chain, &args.market).await?;
    let found = Positions::of_market(chain, &market.address).await?;
    for unreadable in &found.unreadable {
        note(format_args!("left out: {unreadable}"));
    }
    let snapshot = target::snapshot(chain, &market).await?;
    let pool_address = market.market.whirlpool;
    let account = chain.account(&pool_address).await?;
    let account = account.context("the market's pool does not exist: check --url")?;
    let pool = PoolView::parse(&account.data)?;
    if pool.has_adaptive_fee() {
        note("the pool's fee moves with volatility: the least that it can be is taken");
    }
    let ticks = ticks(chain, &market, &pool).await?;
    let fees = fees(chain, &found.positions, &pool, &ticks).await?;
    let raw = |amount: &Decimal, decimals| amount.raw(decimals);
    let liquidators = Amounts {
        base: raw(&args.liquidators_base, market.market.base_decimals)
            .context("--liquidators-base")?,
        quote: raw(&args.liquidators_quote, market.market.quote_decimals)
            .context("--liquidators-quote")?,
    };
    ensure!(
        !found.positions.is_empty(),
        "market {} has no positions: nothing can happen to them",
        market.address
    );
    let named = found.positions.iter().zip(fees);
    Ok(ReadMarket {
        fee: SwapFee::fixed(pool.fee_rate_ppm().into()),
        protocol_bps: pool.protocol_fee_rate_bps(),
        ticks: ticks
            .iter()
            .map(|(tick, state)| (*tick, state.liquidity_net))
            .collect(),
        positions: named
            .map(|(context, fees)| ReadPosition {
                name: context.address.to_string(),
                stored: context.position,
                fees,
            })
            .collect(),
        market: snapshot,
        liquidators,
        economics,
    })
}

/// Every initialised tick of the pool.
async fn ticks(
    chain: &dyn Chain,
    market: &MarketContext,
    pool: &PoolView<'_>,
) -> Result<BTreeMap<i32, TickState>> {
    let kinds: [(&[u8], usize); 2] = [
        (&fixed_tick_array::DISCRIMINATOR, fixed_tick_array::POOL),
        (&dynamic_tick_array::DISCRIMINATOR, dynamic_tick_array::POOL),
    ];
    let mut ticks = BTreeMap::new();
    for (discriminator, pool_at) in kinds {
        let filters = [
            AccountFilter {
                offset: 0,
                bytes: discriminator.into(),
            },
            AccountFilter {
                offset: pool_at,
                bytes: market.market.whirlpool.to_bytes().into(),
            },
        ];
        let program = &market.market.whirlpool_program;
        let found = chain.program_accounts(program, &filters).await;
        let found = found.context("looking for the pool's tick arrays failed")?;
        for (address, account) in found.accounts {
            let array = TickArrayView::parse(&account.data)
                .with_context(|| format!("tick array {address}"))?;
            for number in 0..TICKS_PER_ARRAY {
                let tick = array.start() + number * i32::from(pool.tick_spacing());
                if let Some(state) = array.tick(tick, pool.tick_spacing())? {
                    ticks.insert(tick, state);
                }
            }
        }
    }
    Ok(ticks)
}

/// Fees that each position has earned and not been paid.
async fn fees(
    chain: &dyn Chain,
    positions: &[PositionContext],
    pool: &PoolView<'_>,
    ticks: &BTreeMap<i32, TickState>,
) -> Result<Vec<Amounts>> {
    let addresses: Vec<Pubkey> = positions
        .iter()
        .map(|context| context.position.whirlpool_position)
        .collect();
    let answer = chain.accounts(&addresses).await?;
    let mut fees = Vec::with_capacity(positions.len());
    for (address, account) in addresses.iter().zip(&answer.accounts) {
        let Some(account) = existing(account.as_ref()) else {
            fees.push(Amounts::ZERO);
            continue;
        };
        let position = PositionView::parse(&account.data)
            .with_context(|| format!("Whirlpool position {address}"))?;
        let at = |index: i32| TickAt {
            index,
            state: ticks.get(&index).copied(),
        };
        let (lower, upper) = (at(position.lower().get()), at(position.upper().get()));
        let growth = fee_growth_inside_x64(pool, lower, upper);
        let liquidity = position.liquidity();
        let earned = |from, to| fees_earned_down(liquidity, from, to);
        let base = earned(position.fee_growth_checkpoint_a_x64(), growth.a);
        let quote = earned(position.fee_growth_checkpoint_b_x64(), growth.b);
        fees.push(Amounts {
            base: base.saturating_add(position.fee_owed_a()),
            quote: quote.saturating_add(position.fee_owed_b()),
        });
    }
    Ok(fees)
}
