//! A market's liquidity by price.

use ballast_clmm::{Band, Tick};
use ballast_view::{self as view, Known};
use solana_sdk::pubkey::Pubkey;

use super::query::Query;
use crate::{
    api::{
        problem::Problem,
        scene::{Scene, snapshot},
    },
    picture::MarketPicture,
};

/// Ticks in a bin of liquidity, and bins to either side of the price.
const BIN_TICKS: i32 = 32;
const BINS: i32 = 60;

/// The book's and one position's liquidity by price. What others hold away from the price is not read.
pub(super) fn liquidity(
    scene: &Scene,
    address: &Pubkey,
    market: &MarketPicture,
    query: &Query,
) -> Result<view::LiquidityView, Problem> {
    let newest = snapshot(market)?;
    let one = query
        .get("position")
        .map(|text| scene.position(text))
        .transpose()?;
    let one = one.map(|(_, position)| position.address);
    let scale = view::scale(newest);
    let oracle = newest.oracle_sqrt_price().ok();
    let at = newest.pool.sqrt_price;
    let lines: Vec<_> = scene
        .known()
        .iter()
        .filter(|known| known.market == *address)
        .filter_map(|known| known.line)
        .collect();
    let middle = at.tick().get().div_euclid(BIN_TICKS);
    let mut bins = Vec::new();
    // Worth of so much liquidity in a bin, at the pool's price.
    let worth = |liquidity: u128, bin: &Band| {
        let amounts = bin.amounts_down(liquidity, at).unwrap_or_default();
        let base = scale.base(amounts.base as f64) * scale.price(at);
        base + scale.quote(amounts.quote as f64)
    };
    for index in middle - BINS..=middle + BINS {
        let ends = [index * BIN_TICKS, (index + 1) * BIN_TICKS].map(Tick::new);
        let [Ok(low), Ok(high)] = ends else { continue };
        let Ok(bin) = Band::new(low, high) else {
            continue;
        };
        let within = |line: &view::Line| {
            let band = &line.model.band;
            let lower = band.sqrt_lower().max(bin.sqrt_lower());
            let upper = band.sqrt_upper().min(bin.sqrt_upper());
            let part = (lower < upper).then(|| Band::from_sqrt_prices(lower, upper).ok());
            part.flatten()
                .map_or(0.0, |part| worth(line.model.liquidity, &part))
        };
        let book: f64 = lines.iter().map(within).sum();
        let position: f64 = lines
            .iter()
            .filter(|line| Some(line.address) == one)
            .map(within)
            .sum();
        // Only what is active now is known of the rest.
        let pool = if index == middle {
            worth(newest.pool.liquidity, &bin)
        } else {
            book
        };
        let cents = |value: f64| (value * 100.0).round() / 100.0;
        bins.push([
            scale.price(bin.sqrt_lower()),
            scale.price(bin.sqrt_upper()),
            cents(pool.max(book)),
            cents(book),
            cents(position),
        ]);
    }
    let now = scale.price(at);
    let depth = [-500, -200, -100, 100, 200, 500].map(|move_bps| {
        let to = now * (1.0 + f64::from(move_bps) / 1e4);
        let (low, high) = if to < now { (to, now) } else { (now, to) };
        let part = |bin: &[f64; 5]| {
            let [from, until, pool, ..] = *bin;
            let overlap = high.min(until) - low.max(from);
            if overlap > 0.0 {
                pool * overlap / (until - from)
            } else {
                0.0
            }
        };
        view::DepthMove {
            move_bps,
            value: (bins.iter().map(part).sum::<f64>() * 100.0).round() / 100.0,
        }
    });
    let share = |of: usize| {
        let bin = bins.iter().find(|bin| bin[0] <= now && now < bin[1]);
        bin.map_or(0, |bin| {
            let (part, whole) = (bin.get(of).copied().unwrap_or(0.0), bin[2]);
            if whole > 0.0 {
                (part / whole * 1e4).round() as u32
            } else {
                0
            }
        })
    };
    Ok(view::LiquidityView {
        version: scene.version,
        state: Known::Unknown,
        price: oracle.map(|oracle| scale.price(oracle)),
        fields: ["from", "to", "pool", "book", "position"]
            .map(str::to_owned)
            .into(),
        unit: scene.tokens(market).quote.to_owned(),
        share_bps: view::ShareBps {
            book: share(3),
            position: share(4),
        },
        bins,
        depth: depth.into(),
    })
}
