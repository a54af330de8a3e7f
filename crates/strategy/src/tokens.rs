//! Amounts and prices of a market's tokens in words: whole tokens, with their names. Everything that a person reads of a decision,
//! in the journal, in `ballast explain`, in the API and on the page, is written with it.

use ballast_model::{Amounts, Side};

use crate::text::{signed_amount, significant};

/// How a market's tokens are called, and their decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens<'a> {
    /// Name of the base token.
    pub base: &'a str,
    /// Name of the quote token.
    pub quote: &'a str,
    /// Decimals of base and quote.
    pub decimals: (u8, u8),
}

impl Tokens<'_> {
    /// The name of one of them.
    pub fn name(&self, side: Side) -> &str {
        match side {
            Side::Base => self.base,
            Side::Quote => self.quote,
        }
    }

    /// Raw units in whole tokens, with the token's name.
    pub fn amount(&self, side: Side, raw: u128) -> String {
        format!("{} {}", self.whole(side, raw), self.name(side))
    }

    /// Raw units in whole tokens, without the name.
    pub fn whole(&self, side: Side, raw: u128) -> String {
        let decimals = match side {
            Side::Base => self.decimals.0,
            Side::Quote => self.decimals.1,
        };
        signed_amount(i128::try_from(raw).unwrap_or(i128::MAX), decimals)
    }

    /// Of both tokens; those that there is something of.
    pub fn both(&self, amounts: Amounts) -> String {
        let all = [Side::Base, Side::Quote];
        let some = all.into_iter().filter(|side| amounts.get(*side) > 0);
        let some: Vec<_> = some
            .map(|side| self.amount(side, amounts.get(side).into()))
            .collect();
        match some.is_empty() {
            true => "nothing".into(),
            false => some.join(" and "),
        }
    }

    /// The price of a tick, in quote per base.
    pub fn price_of_tick(&self, tick: i32) -> String {
        let (base, quote) = self.decimals;
        let whole = 10f64.powi(i32::from(base) - i32::from(quote));
        significant(1.0001f64.powi(tick) * whole, 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::TOKENS;

    #[test]
    fn amounts_are_in_whole_tokens_with_their_names() {
        assert_eq!(TOKENS.amount(Side::Base, 108_518_791), "0.108518791 SOL");
        assert_eq!(TOKENS.amount(Side::Quote, 7), "0.000007 USDC");
        assert_eq!(
            TOKENS.both(Amounts::new(1_500_000_000, 2_000_000)),
            "1.500000000 SOL and 2.000000 USDC"
        );
        assert_eq!(TOKENS.both(Amounts::new(0, 1)), "0.000001 USDC");
        assert_eq!(TOKENS.both(Amounts::ZERO), "nothing");
        // 1.0001^-16095 * 1000
        assert_eq!(TOKENS.price_of_tick(-16_095), "200.004");
    }
}
