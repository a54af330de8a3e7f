//! A pool of which something follows the price, by options: the liquidity of others by tick, and an adaptive fee.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use anyhow::{Context, Result, ensure};
use ballast_model::{SqrtPrice, Tick};
use ballast_quote::Depth;
use ballast_simulator::{TickDepth, Units, world::book::BookAdaptive};
use clap::Args;
use serde::Serialize;

use super::model_file::ModelFile;
use crate::{
    format::{percent, significant},
    recorded,
    trouble::misuse,
};

/// Options of them. Without them the liquidity of others is one number, and the fee stays.
#[derive(Args, Debug)]
pub struct PoolArgs {
    /// Liquidity of others by tick, in place of --pool-liquidity: a file as `ballast quote --save-depth` writes it. They share what takers pay
    /// where the price is, and the position's own trades go through it by the pool's own swaps. Prices are those of the file: it must know
    /// --price. Beyond the ticks that it knows liquidity goes on as at their end. The fee is that of --fee-ppm
    #[arg(long, value_name = "FILE", conflicts_with = "pool_liquidity")]
    pub depth: Option<PathBuf>,
    /// Beside --fee-ppm the pool takes more the more its price has moved lately, as a Whirlpool with an adaptive fee. Its constants by the pool
    /// program's names, all of them, like filter_period=30,decay_period=600,reduction_factor=5000,control_factor=4000,
    /// max_volatility_accumulator=350000,tick_group_size=64,major_swap_threshold_ticks=64. Arbitrageurs' way between two looks is one swap:
    /// take a --step-secs of at most the filter period
    #[arg(long, value_name = "NAME=VALUE,...", conflicts_with = "no_fees", value_parser = parse_adaptive)]
    pub adaptive_fee: Option<BookAdaptive>,
    /// Read once, however many strategies are simulated with it.
    #[arg(skip)]
    read: OnceLock<Arc<TickDepth>>,
}

fn parse_adaptive(text: &str) -> Result<BookAdaptive, String> {
    let lines = text.replace(',', "\n");
    toml::from_str(&lines).map_err(|error| error.message().to_owned())
}

impl PoolArgs {
    /// The file of the depth, by option or by the model's file, and which of them says so.
    fn file<'a>(
        &'a self,
        file: &'a ModelFile,
        is_constant: bool,
    ) -> Option<(&'static str, &'a PathBuf)> {
        let option = self.depth.as_ref().map(|path| ("--depth", path));
        let of_file = file.depth.as_ref().filter(|_| !is_constant);
        option.or(of_file.map(|path| ("--model-file: depth", path)))
    }

    /// The files that are read, but for the model's own.
    pub fn files(&self, file: &ModelFile, is_constant: bool) -> Vec<PathBuf> {
        let read = self.file(file, is_constant);
        read.map(|(_, path)| path.clone()).into_iter().collect()
    }

    /// The liquidity of others by tick; `is_constant`: an option says that it is one number.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn tick_depth(
        &self,
        file: &ModelFile,
        is_constant: bool,
    ) -> Result<Option<Arc<TickDepth>>> {
        let Some((said, path)) = self.file(file, is_constant) else {
            return Ok(None);
        };
        if let Some(read) = self.read.get() {
            return Ok(Some(Arc::clone(read)));
        }
        let named = || format!("{said} {}", path.display());
        let depth: Depth = recorded::text(said, path)?.parse().with_context(named)?;
        let (from, to) = depth.known();
        let lowest = depth.liquidity_at(from).with_context(named)?;
        let read = TickDepth::new(lowest, depth.net(), [from, to]).with_context(named)?;
        Ok(Some(Arc::clone(self.read.get_or_init(|| Arc::new(read)))))
    }

    /// What of the fee moves.
    pub fn adaptive(&self, file: &ModelFile) -> Option<BookAdaptive> {
        self.adaptive_fee.or(file.adaptive_fee)
    }
}

/// Refuses a depth that does not know the price at the start.
///
/// # Errors
/// Names the prices that it knows.
pub fn check_known(depth: &TickDepth, at: SqrtPrice, units: Units) -> Result<()> {
    let [from, to] = depth.known();
    let tick = at.tick().get();
    let [low, high] = prices(depth, units).map(|price| significant(price, 6));
    ensure!(
        (from..=to).contains(&tick),
        misuse!(
            "--depth knows prices from {low} to {high}, and --price is not among them: give the price that it was read at, and its tokens' decimals"
        )
    );
    Ok(())
}

/// Whether all of a pool is known: then nobody needs to be told where it ends.
fn is_whole(depth: &TickDepth) -> bool {
    depth.known() == [Tick::MIN.get(), Tick::MAX.get()]
}

/// The prices between which a depth is known.
fn prices(depth: &TickDepth, units: Units) -> [f64; 2] {
    let scale = units.base_scale() / units.quote_scale();
    depth.known().map(|tick| 1.0001f64.powi(tick) * scale)
}

/// What of the pool follows the price, to be read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PoolReport {
    /// Whether others provide by tick, and not the same everywhere.
    pub depth_by_tick: bool,
    /// Prices between which that is known, if not everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_known: Option<[f64; 2]>,
    /// Constants of the fee beside the fixed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive_fee: Option<BookAdaptive>,
}

impl PoolReport {
    /// `None` where nothing does.
    pub fn of(
        depth: Option<&TickDepth>,
        adaptive_fee: Option<BookAdaptive>,
        units: Units,
    ) -> Option<Self> {
        (depth.is_some() || adaptive_fee.is_some()).then(|| Self {
            depth_by_tick: depth.is_some(),
            depth_known: (depth.filter(|depth| !is_whole(depth))).map(|depth| prices(depth, units)),
            adaptive_fee,
        })
    }

    /// In words.
    pub fn words(&self) -> String {
        let known = self.depth_known.map_or_else(String::new, |known| {
            let [low, high] = known.map(|price| significant(price, 6));
            format!(", known from {low} to {high}")
        });
        let depth = (self.depth_by_tick).then(|| format!("others provide by tick{known}"));
        let fee = self.adaptive_fee.map(|fee| {
            format!(
                "the pool takes more the more it moves: control factor {}, remembered for {} s",
                fee.control_factor, fee.decay_period
            )
        });
        let all: Vec<String> = depth.into_iter().chain(fee).collect();
        all.join("; ")
    }
}

/// What is worth knowing of the time with a price, and of the paths with a trade, beyond what the depth knows.
pub fn beyond_warning(time: f64, paths: f64) -> Option<String> {
    (time > 0.0 || paths > 0.0).then(|| {
        format!(
            "the price was {} of the time beyond the ticks that --depth knows, and on {} of the paths a trade of the position's own went there: \
             liquidity is taken to go on as at their end; read more of the pool",
            percent(time),
            percent(paths)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adaptive_fee_is_written_by_its_constants_names() {
        let text = "filter_period=30,decay_period=600,reduction_factor=5000,control_factor=4000,max_volatility_accumulator=350000,\
                    tick_group_size=64,major_swap_threshold_ticks=64";
        let read = parse_adaptive(text).unwrap();
        assert_eq!((read.filter_period, read.tick_group_size), (30, 64));
        for (wrong, said) in [
            (
                text.replace("filter_period=30,", ""),
                "missing field `filter_period`",
            ),
            (
                text.replace("filter_period", "filter"),
                "unknown field `filter`",
            ),
            (text.replace("=64", "=-1"), "invalid value"),
            ("x".to_owned(), "key"),
        ] {
            let error = parse_adaptive(&wrong).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_beyond_is_told_only_if_something_was() {
        assert_eq!(beyond_warning(0.0, 0.0), None);
        let told = beyond_warning(0.125, 0.0).unwrap();
        assert!(told.contains("12.5"), "{told}");
    }
}
