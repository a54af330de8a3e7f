//! The way of a swap from tick to tick.

use ballast_clmm::{Amounts, Side, SqrtPrice, SwapMode, SwapStepInput, Tick, swap_step};

use super::{SwapFee, SwapOrder, TickLiquidity, TickPool, TickPoolError, Traded, index};

/// The moving part of a swap.
pub(super) struct Walk<'a> {
    pool: &'a TickPool,
    order: SwapOrder,
    end: SqrtPrice,
    pub sqrt_price: SqrtPrice,
    pub tick_current: i32,
    pub liquidity: u128,
    /// Of the input.
    pub growth_x64: u128,
    pub fee: SwapFee,
    pub crossed: Vec<(i32, TickLiquidity)>,
    pub traded: Traded,
}

impl<'a> Walk<'a> {
    pub fn new(pool: &'a TickPool, order: SwapOrder, end: SqrtPrice, now_secs: u64) -> Self {
        let mut fee = pool.fee;
        if let Some(group) = fee.group(pool.tick_current) {
            fee.begin(group, now_secs);
        }
        Self {
            pool,
            order,
            end,
            sqrt_price: pool.sqrt_price,
            tick_current: pool.tick_current,
            liquidity: pool.liquidity,
            growth_x64: pool.growth_x64[index(order.input)],
            fee,
            crossed: Vec::new(),
            traded: Traded::default(),
        }
    }

    fn downwards(&self) -> bool {
        self.order.input == Side::Base
    }

    /// The next initialised tick, or the end of all prices.
    fn next_tick(&self) -> (i32, Option<TickLiquidity>) {
        let ticks = &self.pool.ticks;
        let found = if self.downwards() {
            ticks.range(..=self.tick_current).next_back()
        } else {
            ticks.range(self.tick_current.saturating_add(1)..).next()
        };
        let none = if self.downwards() {
            Tick::MIN
        } else {
            Tick::MAX
        };
        found.map_or((none.get(), None), |(tick, state)| (*tick, Some(*state)))
    }

    fn nearer(&self, a: SqrtPrice, b: SqrtPrice) -> SqrtPrice {
        if self.downwards() { a.max(b) } else { a.min(b) }
    }

    /// Goes until the amount is used up or the end is reached.
    pub fn run(mut self) -> Result<Self, TickPoolError> {
        let SwapOrder { mode, input, .. } = self.order;
        let overflow = TickPoolError::Overflow("the sum of a swap");
        let mut remaining = self.order.amount;
        let mut other = 0u64;
        let mut group = self.fee.group(self.tick_current);
        while remaining > 0 && self.sqrt_price != self.end {
            let (tick, state) = self.next_tick();
            let next_price = Tick::new(tick)?.sqrt_price();
            let mut target = self.nearer(next_price, self.end);
            let mut group_end = None;
            if let Some(group) = group {
                self.fee.enter(group);
                // Where nobody provides, no fee is paid: the way through is one step.
                if self.liquidity > 0
                    && let Some(tick) = self.fee.group_end(group, self.downwards())
                {
                    let tick = tick.clamp(Tick::MIN.get(), Tick::MAX.get());
                    let end = Tick::new(tick)?.sqrt_price();
                    target = self.nearer(target, end);
                    group_end = Some(end);
                }
            }
            let step = swap_step(SwapStepInput {
                amount_remaining: remaining,
                mode,
                input,
                fee_rate_ppm: self.fee.rate_ppm(),
                liquidity: self.liquidity,
                sqrt_price: self.sqrt_price,
                target,
            })?;
            let paid = step.amount_in.checked_add(step.fee).ok_or(overflow)?;
            let (used, more) = match mode {
                SwapMode::ExactIn => (paid, step.amount_out),
                SwapMode::ExactOut => (step.amount_out, paid),
            };
            remaining = remaining.checked_sub(used).ok_or(overflow)?;
            other = other.checked_add(more).ok_or(overflow)?;
            self.book_fee(step.fee);
            if step.sqrt_price == next_price {
                if let Some(state) = state {
                    self.cross(tick, state)?;
                }
                self.tick_current = if self.downwards() { tick - 1 } else { tick };
            } else if step.sqrt_price != self.sqrt_price {
                self.tick_current = step.sqrt_price.tick().get();
            }
            self.sqrt_price = step.sqrt_price;
            group = match (group, group_end) {
                (Some(group), Some(end)) if self.sqrt_price == end => {
                    Some(group + if self.downwards() { -1 } else { 1 })
                }
                (Some(group), Some(_)) => Some(group),
                _ => self.fee.group(self.tick_current),
            };
        }
        let specified = self.order.amount - remaining;
        let is_base = (mode == SwapMode::ExactIn) == (input == Side::Base);
        self.traded.amounts = if is_base {
            Amounts::new(specified, other)
        } else {
            Amounts::new(other, specified)
        };
        Ok(self)
    }

    /// The fee goes to the protocol and, per unit of liquidity, to the positions; without liquidity it stays in the vault.
    fn book_fee(&mut self, fee: u64) {
        let protocol = u128::from(fee) * u128::from(self.pool.protocol_bps) / 10_000;
        // A rate up to 1 leaves no more than the fee.
        let protocol = (protocol as u64).min(fee);
        self.traded.fee = self.traded.fee.saturating_add(fee);
        self.traded.protocol_fee = self.traded.protocol_fee.saturating_add(protocol);
        if let Some(growth) = (u128::from(fee - protocol) << 64).checked_div(self.liquidity) {
            self.growth_x64 = self.growth_x64.wrapping_add(growth);
        }
    }

    fn cross(&mut self, tick: i32, mut state: TickLiquidity) -> Result<(), TickPoolError> {
        let net = if self.downwards() {
            state.net.checked_neg()
        } else {
            Some(state.net)
        };
        self.liquidity = net
            .and_then(|net| self.liquidity.checked_add_signed(net))
            .ok_or(TickPoolError::BadTick(tick))?;
        let mut global = self.pool.growth_x64;
        global[index(self.order.input)] = self.growth_x64;
        for (outside, global) in state.outside_x64.iter_mut().zip(global) {
            *outside = global.wrapping_sub(*outside);
        }
        self.crossed.push((tick, state));
        Ok(())
    }
}
