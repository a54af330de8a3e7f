//! The ledger of numbers: what reserves and pool refuse, and that nothing comes from nowhere.

use ballast_clmm::{Amounts, Band, Side, SqrtPrice, Tick};
use ballast_ledger::{
    Caps, Counter, ExitTerms, Ledger, LedgerError, Lender, Moved, Order, Payout, Pool, Values,
    exit, settle, swap, swap_up_to,
};
use ballast_model::{
    Bps, Trade,
    lending::{LendingError, ReserveState},
};

/// A pool at one price that sells and buys anything, at a loss of so many basis points.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flat {
    loss_bps: u64,
    /// What it keeps of the base that it is to sell.
    keeps: u64,
    /// Up to a limit it moves nothing, and stands there afterwards.
    empty: bool,
    price: SqrtPrice,
    fees: Amounts,
}

impl Pool for Flat {
    type Error = LedgerError;

    fn price(&self) -> SqrtPrice {
        self.price
    }

    fn fee_rate_ppm(&self) -> u32 {
        0
    }

    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, LedgerError> {
        if let (true, Some(limit)) = (self.empty, limit) {
            self.price = limit;
            return Ok(Moved::default());
        }
        let (base, quote) = match order {
            Order::Sell(base) => (base, base - base * self.loss_bps / 10_000),
            Order::Buy(base) => (base - self.keeps, base + base * self.loss_bps / 10_000),
            Order::Spend(quote) => (quote - quote * self.loss_bps / 10_000, quote),
        };
        Ok(Moved { base, quote })
    }

    fn add(&mut self, _band: &Band, _liquidity: u128) {}

    fn remove(&mut self, _band: &Band, _liquidity: u128) {}

    fn book(&mut self, _band: &Band) {}

    fn collect(&mut self) -> Amounts {
        core::mem::take(&mut self.fees)
    }
}

fn lender(liquidity: u64) -> Lender {
    Lender {
        state: ReserveState {
            liquidity,
            ..ReserveState::new(0)
        },
        caps: Caps {
            borrow_cap: 1_000,
            max_utilisation: Bps::new(8_000),
        },
    }
}

fn values(idle: Amounts) -> Values<Flat> {
    let at = |tick| Tick::new(tick).unwrap();
    Values {
        band: Band::new(at(-1_000), at(1_000)).unwrap(),
        liquidity: 0,
        idle,
        shares: [0; 2],
        lenders: [lender(2_000); 2],
        pool: Flat {
            loss_bps: 50,
            keeps: 0,
            empty: false,
            price: SqrtPrice::ONE,
            fees: Amounts::new(7, 9),
        },
        payer: Amounts::new(100, 100),
        swap_loss: 0,
        refinanced: Amounts::ZERO,
    }
}

const HALF_PERCENT: Bps = Bps::new(50);
const LESS: Bps = Bps::new(49);

#[test]
fn loans_end_at_the_caps_but_for_those_that_replace_others() {
    let mut ledger = values(Amounts::ZERO);
    ledger.borrow(Side::Base, 1_000).unwrap();
    assert_eq!(ledger.idle(), Amounts::new(1_000, 0));
    let capped = |side, amount| Err(LedgerError::Capped { side, amount });
    assert_eq!(ledger.clone().borrow(Side::Base, 1), capped(Side::Base, 1));
    // Four fifths of the funds are the most.
    ledger.lenders[1].state.liquidity = 1_000;
    let most = ledger.clone().borrow(Side::Quote, 801);
    assert_eq!(most, capped(Side::Quote, 801));
    ledger.clone().borrow(Side::Quote, 800).unwrap();
    // Repaid, the same may be borrowed again although the cap has fallen.
    ledger.refinance().unwrap();
    ledger.lenders[0].caps.borrow_cap = 10;
    assert_eq!(ledger.repay(Side::Base, u64::MAX).unwrap(), 1_000);
    ledger.borrow(Side::Base, 1_000).unwrap();
    assert_eq!(ledger.borrow(Side::Base, 1), capped(Side::Base, 1));
    // What is not there is not lent.
    ledger.lenders[1].state.liquidity = 5;
    let error = LendingError::InsufficientLiquidity {
        available: 5,
        requested: 6,
    };
    let side = Side::Quote;
    let short = ledger.borrow(side, 6);
    assert_eq!(short, Err(LedgerError::Lending { side, error }));
}

#[test]
fn the_room_is_what_may_be_borrowed_or_a_few_units_less() {
    for liquidity in [0, 1, 100, 1_249, 1_250, 2_000, 100_000] {
        for owed in [0, 1, 77, 500] {
            let mut ledger = values(Amounts::ZERO);
            ledger.lenders[0] = lender(100_000);
            ledger.borrow(Side::Base, owed).unwrap();
            ledger.lenders[0].state.liquidity = liquidity;
            let room = ledger.room_down().unwrap().base;
            ledger.clone().borrow(Side::Base, room).unwrap();
            let more = ledger.clone().borrow(Side::Base, room + 4);
            assert!(more.is_err(), "{liquidity} {owed}: {room}");
        }
    }
}

#[test]
fn a_swap_may_lose_its_cap_and_no_more_and_has_to_be_exact() {
    let ledger = values(Amounts::new(100_000, 200_000));
    for order in [Order::Sell(10_000), Order::Buy(10_000)] {
        let mut good = ledger.clone();
        let done = swap(&mut good, order, SqrtPrice::ONE, HALF_PERCENT).unwrap();
        assert_eq!((done.base, done.loss, good.swap_loss), (10_000, 50, 50));
        let (before, after) = (ledger.idle(), good.idle());
        // The loss is all that is gone.
        assert_eq!(after.base + after.quote + 50, before.base + before.quote);
        let refused = swap(&mut ledger.clone(), order, SqrtPrice::ONE, LESS);
        let (trade, max_loss) = (order.trade(), LESS);
        assert_eq!(refused, Err(LedgerError::SwapLoss { trade, max_loss }));
    }
    let mut keeps = ledger;
    keeps.pool.keeps = 1;
    let exact = swap(
        &mut keeps.clone(),
        Order::Buy(10_000),
        SqrtPrice::ONE,
        Bps::ONE,
    );
    assert_eq!(exact, Err(LedgerError::OtherAmounts));
    // A part is taken only where the limit ends it.
    let asked = (Trade::BuyBase, 10_000);
    let part = swap_up_to(&mut keeps, asked, SqrtPrice::ONE, Bps::ONE);
    assert_eq!(part, Err(LedgerError::OtherAmounts));
    // Nothing up to the limit is no part.
    keeps.pool.empty = true;
    let (trade, max_loss) = (Trade::BuyBase, HALF_PERCENT);
    let nothing = swap_up_to(&mut keeps, asked, SqrtPrice::ONE, max_loss);
    assert_eq!(nothing, Err(LedgerError::SwapLoss { trade, max_loss }));
}

#[test]
fn a_loss_is_rounded_up_whichever_way_is_traded() {
    // One base is worth 2.25, and sold and bought for one.
    let oracle = SqrtPrice::new(3 << 63).unwrap();
    let mut ledger = values(Amounts::new(10, 10));
    ledger.pool.loss_bps = 0;
    let sold = swap(&mut ledger, Order::Sell(1), oracle, Bps::ONE).unwrap();
    assert_eq!((sold.quote, sold.loss), (1, 2));
    // Bought for three, the four quarters beyond count as one.
    ledger.pool.loss_bps = 20_000;
    let bought = swap(&mut ledger, Order::Buy(1), oracle, Bps::ONE).unwrap();
    assert_eq!((bought.quote, bought.loss), (3, 1));
    assert_eq!(ledger.swap_loss, 3);
}

#[test]
fn of_two_swaps_of_an_exit_the_larger_is_what_was_traded() {
    // Eight units of rounding are half a percent of 1 600, which is what is bought to repay 100; what is left then is sold.
    let mut ledger = values(Amounts::new(0, 90_000));
    ledger.lenders[0].caps.borrow_cap = 1_000;
    ledger.borrow(Side::Base, 100).unwrap();
    ledger.pay_out(Side::Base, 100).unwrap();
    let mut terms = ExitTerms {
        payout: Payout::Quote,
        oracle: SqrtPrice::ONE,
        max_loss: HALF_PERCENT,
        newer: None,
    };
    ledger.pool.loss_bps = 0;
    let done = exit(&mut ledger.clone(), &terms, |_| Ok(())).unwrap();
    assert_eq!(done.base_traded, 1_600);
    terms.payout = Payout::Base;
    let done = exit(&mut ledger.clone(), &terms, |_| Ok(())).unwrap();
    assert_eq!(done.base_traded, 88_409);
}

#[test]
fn an_exit_that_leaves_debt_fails() {
    let mut ledger = values(Amounts::ZERO);
    ledger.borrow(Side::Quote, 100).unwrap();
    ledger.pay_out(Side::Quote, 100).unwrap();
    let terms = ExitTerms {
        payout: Payout::AsIs,
        oracle: SqrtPrice::ONE,
        max_loss: HALF_PERCENT,
        newer: None,
    };
    let left = exit(&mut ledger, &terms, |_| Ok(()));
    assert_eq!(left, Err(LedgerError::DebtRemains));
}

#[test]
fn more_than_everything_cannot_be_lent() {
    let mut lender = lender(100);
    lender.caps.max_utilisation = Bps::new(20_000);
    assert_eq!(lender.caps.room_down(&lender.state), Ok(100));
}

#[test]
fn what_does_not_lie_idle_can_be_neither_traded_nor_provided_nor_paid_out() {
    let short = |side| LedgerError::Short { side };
    let mut ledger = values(Amounts::new(10, 10));
    let traded = |order| swap(&mut ledger.clone(), order, SqrtPrice::ONE, Bps::ONE);
    assert_eq!(traded(Order::Sell(11)), Err(short(Side::Base)));
    assert_eq!(traded(Order::Buy(11)), Err(short(Side::Quote)));
    let provided = ledger.clone().provide(1_000_000);
    assert_eq!(provided, Err(short(Side::Base)));
    assert_eq!(ledger.pay_out(Side::Quote, 11), Err(short(Side::Quote)));
    let taken = ledger.take_in(Side::Base, 101);
    assert_eq!(taken, Err(LedgerError::NothingToPayWith));
}

#[test]
fn liquidity_comes_back_but_for_a_unit_and_fees_come_once() {
    let mut ledger = values(Amounts::new(1_000_000, 1_000_000));
    let spent = ledger.provide(10_000_000).unwrap();
    assert_eq!(ledger.liquidity(), 10_000_000);
    let received = ledger.withdraw(10_000_000).unwrap();
    let lost = spent.checked_sub(received).unwrap();
    assert!(lost.base <= 1 && lost.quote <= 1, "{lost:?}");
    assert_eq!(ledger.collect().unwrap(), Amounts::new(7, 9));
    assert_eq!(ledger.collect().unwrap(), Amounts::ZERO);
    assert!(ledger.withdraw(1).is_err());
}

#[test]
fn what_is_owed_is_repaid_and_what_remains_is_written_off() {
    let mut ledger = values(Amounts::ZERO);
    for side in [Side::Base, Side::Quote] {
        ledger.borrow(side, 600).unwrap();
    }
    ledger.pay_out(Side::Quote, 500).unwrap();
    assert_eq!(ledger.payer, Amounts::new(100, 600));
    assert_eq!(settle(&mut ledger).unwrap(), Amounts::new(600, 100));
    ledger.lenders[1].state.insurance = 40;
    let rewarded = ledger
        .book_losses(Amounts::new(600, 100), Bps::new(1_000))
        .unwrap();
    // At most a tenth of what was repaid to the reserve that loses, out of its insurance.
    assert!(rewarded.base == 0 && rewarded.quote <= 10, "{rewarded:?}");
    assert_eq!(ledger.position().unwrap().debt, Amounts::ZERO);
    assert_eq!(ledger.payer.quote, 600 + rewarded.quote);
    assert!(ledger.lenders[1].state.insurance < 40);
}
