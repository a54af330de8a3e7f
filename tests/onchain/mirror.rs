//! A pool in numbers, copied from its accounts: the pool that [`ballast_ledger::Values`] trades with where it is to be exact.

use std::collections::BTreeMap;

use ballast_abi::whirlpool::{
    PoolView, TICKS_PER_ARRAY, TickArrayView, TickState, array_start,
    layout::{fixed_tick_array, pool as at},
    swap::{SwapArray, SwapError, SwapRequest, swap},
    swap_tick_arrays,
};
use ballast_client::{Amounts, Band, Pubkey, SqrtPrice, Trade};
use ballast_clmm::SwapMode;
use ballast_keeper::execute::Earned;
use ballast_ledger::{LedgerError, Moved, Order, Pool};

use crate::support::Scene;

/// Arrays on either side of the pool's price that a swap may get to.
const ARRAYS: i32 = 4;

/// See the module's description.
#[derive(Clone)]
pub struct Mirror {
    pool: Vec<u8>,
    spacing: u16,
    ticks: BTreeMap<i32, TickState>,
    earned: Earned,
    traded: Option<Trade>,
}

/// Why a swap fails.
#[derive(Debug)]
pub enum Fault {
    Ledger(LedgerError),
    Swap(SwapError),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(f),
            Self::Swap(error) => error.fmt(f),
        }
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Mirror {
    /// Copies the pool of a scene, with the tick arrays around its price and those that hold these ticks.
    pub async fn of(scene: &Scene, ticks: &[i32], earned: Earned) -> Self {
        let market = &scene.world.market;
        let pool = scene.bytes(&market.market.whirlpool).await;
        let view = PoolView::parse(&pool).unwrap();
        let spacing = view.tick_spacing();
        let length = TICKS_PER_ARRAY * i32::from(spacing);
        let here = array_start(view.tick_current(), spacing);
        let mut starts: Vec<i32> = (-ARRAYS..=ARRAYS).map(|n| here + n * length).collect();
        starts.extend(ticks.iter().map(|tick| array_start(*tick, spacing)));
        let addresses: Vec<Pubkey> = starts.iter().map(|at| market.tick_array(*at)).collect();
        let chain = scene.world.net.chain();
        let accounts = chain.accounts(&addresses).await.unwrap().accounts;
        let mut ticks = BTreeMap::new();
        for account in accounts.into_iter().flatten() {
            if account.owner == market.market.whirlpool_program {
                ticks.extend(TickArrayView::parse(&account.data).unwrap().ticks(spacing));
            }
        }
        Self {
            pool,
            spacing,
            ticks,
            earned,
            traded: None,
        }
    }

    /// Which way it was traded first, if it was.
    pub fn traded(&self) -> Option<Trade> {
        self.traded
    }

    fn view(&self) -> PoolView<'_> {
        PoolView::parse(&self.pool).unwrap()
    }

    /// Price, tick and active liquidity.
    pub fn state(&self) -> (SqrtPrice, i32, u128) {
        let view = self.view();
        (view.sqrt_price(), view.tick_current(), view.liquidity())
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.pool[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// The array that starts there, in bytes.
    fn array(&self, start: i32) -> Vec<u8> {
        let mut data = vec![0; fixed_tick_array::LENGTH];
        data[..8].copy_from_slice(&fixed_tick_array::DISCRIMINATOR);
        data[fixed_tick_array::START..][..4].copy_from_slice(&start.to_le_bytes());
        let end = start + TICKS_PER_ARRAY * i32::from(self.spacing);
        let offsets: Vec<_> = {
            let empty = TickArrayView::parse(&data).unwrap();
            let of = |(tick, state): (&i32, &TickState)| {
                let slot = empty.slot(*tick, self.spacing).unwrap();
                (slot.flag_at, state.to_bytes())
            };
            self.ticks.range(start..end).map(of).collect()
        };
        for (flag_at, state) in offsets {
            data[flag_at] = 1;
            data[flag_at + 1..][..state.len()].copy_from_slice(&state);
        }
        data
    }

    fn shift(&mut self, band: &Band, change: i128) {
        let [lower, upper] = [band.sqrt_lower(), band.sqrt_upper()].map(|end| end.tick().get());
        for (tick, net) in [(lower, change), (upper, -change)] {
            let state = self.ticks.entry(tick).or_default();
            state.liquidity_net += net;
            state.liquidity_gross = state.liquidity_gross.checked_add_signed(change).unwrap();
            if state.liquidity_gross == 0 {
                self.ticks.remove(&tick);
            }
        }
        let (_, current, active) = self.state();
        if (lower..upper).contains(&current) {
            let active = active.checked_add_signed(change).unwrap();
            self.put(at::LIQUIDITY, &active.to_le_bytes());
        }
    }
}

impl Pool for Mirror {
    type Error = Fault;

    fn price(&self) -> SqrtPrice {
        self.view().sqrt_price()
    }

    fn fee_rate_ppm(&self) -> u32 {
        self.view().fee_rate_ppm().into()
    }

    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, Fault> {
        let (mode, amount) = match order {
            Order::Sell(amount) | Order::Spend(amount) => (SwapMode::ExactIn, amount),
            Order::Buy(amount) => (SwapMode::ExactOut, amount),
        };
        self.traded = self.traded.or(Some(order.trade()));
        let a_to_b = order.trade() == Trade::SellBase;
        let (_, current, _) = self.state();
        let arrays = swap_tick_arrays(current, self.spacing, a_to_b).map(|start| self.array(start));
        let arrays = arrays
            .each_ref()
            .map(|data| SwapArray::Initialised(TickArrayView::parse(data).unwrap()));
        let request = SwapRequest {
            amount,
            mode,
            a_to_b,
            limit,
        };
        let done = swap(&self.view(), &arrays, request).map_err(Fault::Swap)?;
        for crossing in &done.crossings {
            self.ticks.insert(crossing.tick, crossing.state);
        }
        let growth = if a_to_b {
            at::FEE_GROWTH_GLOBAL_A
        } else {
            at::FEE_GROWTH_GLOBAL_B
        };
        self.put(growth, &done.fee_growth_global_input_x64.to_le_bytes());
        self.put(at::SQRT_PRICE, &done.sqrt_price.x64().to_le_bytes());
        self.put(at::TICK_CURRENT, &done.tick_current.to_le_bytes());
        self.put(at::LIQUIDITY, &done.liquidity.to_le_bytes());
        Ok(Moved {
            base: done.amounts.a,
            quote: done.amounts.b,
        })
    }

    fn add(&mut self, band: &Band, liquidity: u128) {
        self.shift(band, liquidity.cast_signed());
    }

    fn remove(&mut self, band: &Band, liquidity: u128) {
        self.book(band);
        self.shift(band, -liquidity.cast_signed());
    }

    fn book(&mut self, _band: &Band) {
        self.earned.booked = self.earned.pending;
    }

    fn collect(&mut self) -> Amounts {
        let fees = self.earned.booked;
        self.earned = Earned {
            booked: Amounts::ZERO,
            pending: self.earned.pending.saturating_sub(fees),
        };
        fees
    }
}
