//! What belongs to a desk beside its position: the short at a perp venue, what was spent, and the reserves that it owes.

use ballast_model::{ModelError, Side};
use rand_chacha::ChaCha8Rng;

use super::Desk;
use crate::{
    PerpTerms,
    reserves::{Lent, Reserves},
    walk::PerpEnd,
};

impl Desk<'_> {
    /// The reserves move with these numbers, if they do.
    pub(crate) fn draw_utilisation_from(&mut self, rng: impl Fn(Side) -> ChaCha8Rng) {
        let reserves = &self.terms.reserves;
        self.reserves =
            (reserves.iter().any(Option::is_some)).then(|| Box::new(Reserves::new(reserves, rng)));
    }

    /// Time passes at the reserves until a look.
    pub(crate) fn pass_reserves(&mut self, secs: u64) {
        if let Some(reserves) = &mut self.reserves {
            reserves.pass(secs);
        }
    }

    /// What a reserve has at hand and is owed by others; `None`: it has plenty, always.
    pub(crate) fn lent(&self, side: Side) -> Option<Lent> {
        self.reserves.as_ref()?.lent(side)
    }

    /// What belongs to it beside the position: the margin at the perp venue, less what was spent.
    pub(crate) fn beside(&self) -> i128 {
        let margin = self.perp.as_ref().map_or(0, |perp| perp.account.margin);
        margin - self.spent()
    }

    /// The short is opened together with the position.
    pub(super) fn open_perp(&mut self) -> Result<(), ModelError> {
        if let Some(perp) = &self.terms.perp {
            let price = self.terms.units.log_price(self.terms.at);
            let (delta, scale) = (self.delta(price)?, self.terms.units.quote_scale());
            self.perp = Some(perp.opened(delta, price.exp(), scale));
            self.book_perp();
        }
        Ok(())
    }

    /// The venue's price wanders with these numbers, if it does.
    pub(crate) fn draw_basis_from(&mut self, rng: impl FnOnce() -> ChaCha8Rng) {
        let wanders = self.terms.perp.as_ref().is_some_and(PerpTerms::wanders);
        if let Some(perp) = self.perp.as_mut().filter(|_| wanders) {
            perp.draw_from(rng());
        }
    }

    /// How it ended at the perp venue.
    pub(crate) fn perp_end(&self) -> PerpEnd {
        let flows = self.perp.as_ref().map(|perp| perp.flows);
        flows.map_or_else(PerpEnd::default, |flows| PerpEnd {
            auto_deleveraged: flows.auto_deleveraged > 0.0,
            closed: flows.liquidated,
        })
    }

    /// The position's exposure to the base token at a price, in whole tokens.
    fn delta(&self, log_price: f64) -> Result<f64, ModelError> {
        let at = self.terms.units.sqrt_price(log_price);
        Ok(self.whole()?.delta(at)? as f64 / self.terms.units.base_scale())
    }

    /// Time passes at the perp venue until a look.
    pub(crate) fn pass_perp(&mut self, secs: u64, log_price: f64, funding_hour: Option<f64>) {
        if let Some(perp) = &mut self.perp {
            perp.pass(secs, log_price.exp(), funding_hour);
        }
    }

    /// What is held at the perp venue, and its margin.
    pub(crate) fn perp_account(&self) -> Option<(f64, i128)> {
        let perp = self.perp.as_ref()?;
        Some((perp.account.size, perp.account.margin))
    }

    /// The equity that there would be at a price `secs` after the start, with that account at the perp venue.
    pub(crate) fn equity_at(
        &self,
        secs: u64,
        log_price: f64,
        account: Option<(f64, i128)>,
    ) -> Result<i128, ModelError> {
        let at = self.terms.units.sqrt_price(log_price);
        let equity = self.seen(secs, log_price)?.equity_down(at)? - self.spent();
        Ok(match self.perp.as_ref().zip(account) {
            None => equity,
            Some((perp, account)) => equity + perp.margin_at(account, log_price.exp()),
        })
    }

    /// What is done at the perp venue at a look, after time has passed there.
    pub(crate) fn act_perp(&mut self, log_price: f64) -> Result<(), ModelError> {
        let (Some(terms), Some(_)) = (&self.terms.perp, &self.perp) else {
            return Ok(());
        };
        let delta = self.delta(log_price)?;
        let tolerance = terms.band.of_down(self.position.full_base_up()?.into());
        // `as` rounds: nobody counts units here.
        let tolerance = tolerance.unwrap_or(0) as f64 / self.terms.units.base_scale();
        if let Some(perp) = &mut self.perp {
            perp.act(delta, Some(tolerance));
        }
        self.book_perp();
        Ok(())
    }

    fn book_perp(&mut self) {
        if let Some(perp) = &self.perp {
            let lines = &mut self.attribution;
            let flows = &perp.flows;
            (lines.perp, lines.basis) = (flows.price - flows.basis, flows.basis);
            lines.funding = flows.funding;
            lines.perp_fees = -flows.fees;
        }
    }
}
