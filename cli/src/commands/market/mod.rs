//! `ballast market`: a market, its limits, its reserves, its prices; and what is changed about it.

mod admin;
mod announced;
mod migrate;
mod source;
mod standing;

use std::fmt;

use anyhow::Result;
use ballast_model::{Side, screen::Real};
use ballast_view::{ReserveView, TokenNames, mode_name};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    connection::Connection,
    format::{amount, bps, change, duration, significant, sized, times},
    globals::Globals,
    range,
    report::Output,
    table::Table,
    target::{self, MarketArgs},
    wallet::SIDES,
};

use admin::{Change, ChangeArgs, GuardianArgs, ModeArgs, OfferArgs};
use announced::source_change;
use migrate::MigrateArgs;
use source::SourceArgs;
use standing::{Standing, typed};

/// What to do with a market.
#[derive(Subcommand, Debug)]
pub enum MarketCommand {
    /// Show a market
    Show(ShowArgs),
    /// Set the mode for a time. Authority; the guardian only to a stricter one
    SetMode(ModeArgs),
    /// Show the market what its risk stage rests on. Anyone
    RefreshStage(ChangeArgs),
    /// Show the market the newest prices, after which it takes no older ones. Anyone
    RefreshPrice(ChangeArgs),
    /// Book both reserves' interest up to now. Anyone
    Accrue(ChangeArgs),
    /// Put announced changes in force whose notice is over. Anyone
    Apply(ChangeArgs),
    /// Announce that prices will come from elsewhere: two days later anyone can `apply` it. Authority
    AnnounceOracle(SourceArgs),
    /// Take the announcement of another price source back. Authority
    CancelOracle(ChangeArgs),
    /// Bring a market of the earlier version to this one, with cautious rules. Anyone
    Migrate(MigrateArgs),
    /// Offer the authority to somebody. Authority
    OfferAuthority(OfferArgs),
    /// Take an offered authority over
    AcceptAuthority(ChangeArgs),
    /// Name another guardian, or none. Authority
    SetGuardian(GuardianArgs),
}

#[derive(Args, Debug)]
pub struct ShowArgs {
    #[command(flatten)]
    pub market: MarketArgs,
}

/// Amounts in whole tokens as decimal strings, ratios in basis points, rates per year.
#[derive(Debug, Serialize)]
struct MarketReport {
    market: String,
    slot: u64,
    mode: &'static str,
    authority: String,
    whirlpool: String,
    whirlpool_program: String,
    tick_spacing: u16,
    /// Names of the tokens.
    base: String,
    quote: String,
    base_mint: String,
    quote_mint: String,
    base_price_account: String,
    quote_price_account: String,
    /// The oracle's, quote per base; none without a usable price.
    price: Option<f64>,
    oracle_age_secs: i64,
    pool_price: f64,
    pool_liquidity: String,
    pool_fee_ppm: u16,
    open_positions: u64,
    max_position_value: String,
    min_position_value: String,
    max_leverage_bps: u32,
    initial_ltv_bps: u32,
    deleverage_ltv_bps: u32,
    maintenance_ltv_bps: u32,
    target_ltv_bps: u32,
    liquidation_bonus_bps: u32,
    stress_distance_bps: u32,
    max_pool_deviation_bps: u32,
    max_swap_loss_bps: u32,
    min_rebalance_interval_secs: u32,
    max_age_tight_secs: u32,
    max_age_loose_secs: u32,
    max_confidence_tight_bps: u32,
    max_confidence_loose_bps: u32,
    max_ema_divergence_bps: u32,
    grace_secs: u32,
    max_age_swap_secs: u32,
    max_age_liquidation_secs: u32,
    write_off_bonus_bps: u32,
    max_defensive_loss_bps: u32,
    reserves: Vec<ReserveView>,
    standing: Standing,
}

/// Shows or changes.
///
/// # Errors
/// If the market cannot be found or read; what the program refuses.
pub async fn run(command: &MarketCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    let change = |args| Change::load(args, globals);
    match command {
        MarketCommand::Show(args) => show(args, globals, output).await,
        MarketCommand::SetMode(args) => change(&args.change).await?.set_mode(args, output).await,
        MarketCommand::RefreshStage(args) => change(args).await?.refresh_stage(output).await,
        MarketCommand::RefreshPrice(args) => change(args).await?.refresh_price(output).await,
        MarketCommand::Accrue(args) => change(args).await?.accrue(output).await,
        MarketCommand::Apply(args) => change(args).await?.apply(output).await,
        MarketCommand::AnnounceOracle(args) => {
            let change = change(&args.change).await?;
            change.announce_source(args, output).await
        }
        MarketCommand::CancelOracle(args) => change(args).await?.cancel_source(output).await,
        MarketCommand::Migrate(args) => migrate::run(args, globals, output).await,
        MarketCommand::OfferAuthority(args) => {
            let change = change(&args.change).await?;
            change.offer_authority(args, output).await
        }
        MarketCommand::AcceptAuthority(args) => change(args).await?.accept_authority(output).await,
        MarketCommand::SetGuardian(args) => {
            change(&args.change).await?.set_guardian(args, output).await
        }
    }
}

async fn show(args: &ShowArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let context = target::load(chain, &args.market).await?;
    let snapshot = target::snapshot(chain, &context).await?;
    let source = source_change(chain, &context.address).await?;
    let market = &snapshot.market;
    let safety = market.safety.effective();
    let (limits, rules) = (&market.limits, &market.oracle_rules);
    let (base, quote) = (market.base_decimals, market.quote_decimals);
    let names = TokenNames::of(market);
    output.print(&MarketReport {
        market: context.address.to_string(),
        slot: snapshot.slot,
        mode: mode_name(market.mode_at(snapshot.now_secs)),
        authority: market.authority.to_string(),
        whirlpool: market.whirlpool.to_string(),
        whirlpool_program: market.whirlpool_program.to_string(),
        tick_spacing: market.tick_spacing,
        base: names.get(Side::Base).to_owned(),
        quote: names.get(Side::Quote).to_owned(),
        base_mint: market.base_mint.to_string(),
        quote_mint: market.quote_mint.to_string(),
        base_price_account: context.prices.base.to_string(),
        quote_price_account: context.prices.quote.to_string(),
        price: snapshot
            .oracle_sqrt_price()
            .ok()
            .map(|root| range::price(root, base, quote).to_f64()),
        oracle_age_secs: snapshot.price_age_secs(snapshot.now_secs),
        pool_price: range::price(snapshot.pool.sqrt_price, base, quote).to_f64(),
        pool_liquidity: snapshot.pool.liquidity.to_string(),
        pool_fee_ppm: snapshot.pool.fee_rate_ppm,
        open_positions: market.open_positions,
        max_position_value: amount(limits.max_position_value, quote),
        min_position_value: amount(limits.min_position_value, quote),
        max_leverage_bps: limits.max_leverage_bps,
        initial_ltv_bps: limits.initial_ltv_bps,
        deleverage_ltv_bps: limits.deleverage_ltv_bps,
        maintenance_ltv_bps: limits.maintenance_ltv_bps,
        target_ltv_bps: limits.target_ltv_bps,
        liquidation_bonus_bps: limits.liquidation_bonus_bps,
        stress_distance_bps: limits.stress_distance_bps,
        max_pool_deviation_bps: limits.max_pool_deviation_bps,
        max_swap_loss_bps: limits.max_swap_loss_bps,
        min_rebalance_interval_secs: limits.min_rebalance_interval_secs,
        max_age_tight_secs: rules.max_age_tight_secs,
        max_age_loose_secs: rules.max_age_loose_secs,
        max_confidence_tight_bps: rules.max_confidence_tight_bps,
        max_confidence_loose_bps: rules.max_confidence_loose_bps,
        max_ema_divergence_bps: rules.max_ema_divergence_bps,
        grace_secs: safety.grace_secs,
        max_age_swap_secs: safety.max_age_swap_secs,
        max_age_liquidation_secs: safety.max_age_liquidation_secs,
        write_off_bonus_bps: safety.write_off_bonus_bps,
        max_defensive_loss_bps: safety.max_defensive_loss_bps,
        reserves: SIDES
            .into_iter()
            .map(|side| ReserveView::new(&snapshot, side, names.get(side)))
            .collect::<Result<_, _>>()?,
        standing: Standing::new(&snapshot, source.as_ref()),
    })
}

impl fmt::Display for MarketReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "market {} (slot {})", self.market, self.slot)?;
        writeln!(
            f,
            "  mode         {}; {} open positions",
            typed(self.mode),
            self.open_positions
        )?;
        writeln!(f, "  authority    {}", self.authority)?;
        writeln!(
            f,
            "  pool         {} (program {}, tick spacing {}, fee {}%)",
            self.whirlpool,
            self.whirlpool_program,
            self.tick_spacing,
            significant(f64::from(self.pool_fee_ppm) / 1e4, 4)
        )?;
        writeln!(
            f,
            "  tokens       base {} (mint {}), quote {} (mint {})",
            self.base, self.base_mint, self.quote, self.quote_mint
        )?;
        let oracle = self.price.unwrap_or(f64::NAN);
        writeln!(
            f,
            "  price        {} {} per {} (oracle, {} old), pool {} ({})",
            significant(oracle, 8),
            self.quote,
            self.base,
            duration(self.oracle_age_secs),
            significant(self.pool_price, 8),
            change(self.pool_price / oracle - 1.0)
        )?;
        writeln!(
            f,
            "  price from   {} and {}",
            self.base_price_account, self.quote_price_account
        )?;
        writeln!(
            f,
            "  leverage     at most {}; LTV {} to open, {} deleverage (to {}), {} liquidation (bonus {})",
            times(self.max_leverage_bps.into()),
            bps(self.initial_ltv_bps),
            bps(self.deleverage_ltv_bps),
            bps(self.target_ltv_bps),
            bps(self.maintenance_ltv_bps),
            bps(self.liquidation_bonus_bps)
        )?;
        writeln!(
            f,
            "  size         {} to {} {}",
            sized(&self.min_position_value),
            sized(&self.max_position_value),
            self.quote
        )?;
        writeln!(
            f,
            "  guards       pool within {} of the oracle, swaps lose at most {}, safe at {} to either side, rehedges {} apart",
            bps(self.max_pool_deviation_bps),
            bps(self.max_swap_loss_bps),
            bps(self.stress_distance_bps),
            duration(self.min_rebalance_interval_secs.into())
        )?;
        writeln!(
            f,
            "  oracle       at most {} old and {} wide to add risk ({} and {} to reduce it), {} from its average",
            duration(self.max_age_tight_secs.into()),
            bps(self.max_confidence_tight_bps),
            duration(self.max_age_loose_secs.into()),
            bps(self.max_confidence_loose_bps),
            bps(self.max_ema_divergence_bps)
        )?;
        writeln!(
            f,
            "  safety net   prices at most {} old for keepers' swaps, {} for liquidations, {} behind the newest shown; \
             booking a loss pays {}, defensive rehedges lose at most {} of equity",
            duration(self.max_age_swap_secs.into()),
            duration(self.max_age_liquidation_secs.into()),
            duration(self.grace_secs.into()),
            bps(self.write_off_bonus_bps),
            bps(self.max_defensive_loss_bps)
        )?;
        self.standing.fmt(f)?;
        writeln!(f)?;
        let mut table = Table::new([
            "<reserve",
            "supplied",
            "borrowed",
            "available",
            "used",
            "?borrow rate",
            "?lend rate",
            "?supply cap",
            "?borrow cap",
            "?insurance",
            "?bad debt",
            "?shown loss",
        ]);
        let decimal = |text: &str| match f.alternate() {
            true => text.to_owned(),
            false => sized(text),
        };
        for reserve in &self.reserves {
            table.row([
                reserve.token.clone(),
                decimal(&reserve.supplied),
                decimal(&reserve.borrowed),
                decimal(&reserve.available),
                bps(reserve.utilisation_bps),
                bps(reserve.borrow_rate_bps),
                bps(reserve.supply_rate_bps),
                decimal(&reserve.supply_cap),
                decimal(&reserve.borrow_cap),
                decimal(&reserve.insurance),
                decimal(&reserve.bad_debt),
                decimal(&reserve.shown_loss),
            ]);
        }
        table.fmt(f)
    }
}
