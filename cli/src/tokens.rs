//! Amounts and tokens as people write them, and as commands print them: `0.1` or `0.1 SOL`, `base` or `SOL`.

use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use ballast_client::Side;
use ballast_view::TokenNames;

use crate::{
    decimal::{Decimal, NumberError},
    trouble::misuse,
    wallet::name,
};

/// An amount in whole tokens, with the token's name if that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    number: Decimal,
    token: Option<String>,
}

impl FromStr for Amount {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let named = text.trim().rsplit_once(' ');
        let named = named.filter(|(_, token)| token.starts_with(|c: char| c.is_alphabetic()));
        match named {
            None => text.parse().map(|number| Self {
                number,
                token: None,
            }),
            Some((number, token)) => Ok(Self {
                number: number.trim_end().parse()?,
                token: Some(token.to_owned()),
            }),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

impl Amount {
    /// Raw units of a token of that name.
    ///
    /// # Errors
    /// Another token's name; more decimals than the token has, or more than an account can hold.
    pub fn raw(&self, token: &str, decimals: u8) -> Result<u64> {
        if let Some(other) = &self.token
            && !other.eq_ignore_ascii_case(token)
        {
            bail!(misuse!(
                "`{number} {other}` is an amount of {other} where one of {token} belongs: write {number} {token}, or {other} where \
                 that belongs",
                number = self.number
            ));
        }
        Ok(self.number.raw(decimals)?)
    }

    /// As [`Self::raw`], of one of a market's tokens.
    ///
    /// # Errors
    /// As [`Self::raw`].
    pub fn raw_of(&self, names: &TokenNames, side: Side) -> Result<u64> {
        let (base, quote) = names.tokens().decimals;
        let decimals = match side {
            Side::Base => base,
            Side::Quote => quote,
        };
        self.raw(names.get(side), decimals)
    }
}

/// An amount, or everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    All,
    Amount(Amount),
}

impl FromStr for Quantity {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        match text {
            "all" => Ok(Self::All),
            amount => amount.parse().map(Self::Amount),
        }
    }
}

impl Quantity {
    /// Raw units of one of a market's tokens; `all` is as much as there is.
    ///
    /// # Errors
    /// As [`Amount::raw`].
    pub fn raw_of(&self, names: &TokenNames, side: Side) -> Result<u64> {
        match self {
            Self::All => Ok(u64::MAX),
            Self::Amount(amount) => amount.raw_of(names, side),
        }
    }
}

/// One of a market's tokens: by what it is there, or by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Side(Side),
    Named(String),
}

impl FromStr for Token {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "base" => Self::Side(Side::Base),
            "quote" => Self::Side(Side::Quote),
            named => Self::Named(named.to_owned()),
        })
    }
}

impl Token {
    /// Which one it is in a market.
    ///
    /// # Errors
    /// None of both.
    pub fn side(&self, names: &TokenNames) -> Result<Side> {
        let named = match self {
            Self::Side(side) => return Ok(*side),
            Self::Named(named) => named,
        };
        let mut found = [Side::Base, Side::Quote]
            .into_iter()
            .filter(|side| names.get(*side).eq_ignore_ascii_case(named));
        match (found.next(), found.next()) {
            (Some(side), None) => Ok(side),
            _ => bail!(misuse!(
                "`{named}` is none of the market's tokens: write {} ({}) or {} ({})",
                names.get(Side::Base),
                name(Side::Base),
                names.get(Side::Quote),
                name(Side::Quote)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters::{SOL_USD_FEED, USDC_USD_FEED};
    use ballast_strategy::fixtures;

    use super::*;

    fn names() -> TokenNames {
        let mut market = fixtures::market();
        (market.base_feed, market.quote_feed) = (SOL_USD_FEED, USDC_USD_FEED);
        TokenNames::of(&market)
    }

    #[test]
    fn what_is_printed_can_be_typed_and_another_token_is_refused() {
        let raw = |text: &str, side| text.parse::<Quantity>().unwrap().raw_of(&names(), side);
        for (text, side, expected) in [
            ("100.000000 USDC", Side::Quote, 100_000_000),
            ("1,500 usdc", Side::Quote, 1_500_000_000),
            ("0.1 SOL", Side::Base, 100_000_000),
            ("0.1", Side::Base, 100_000_000),
            ("1.5e3", Side::Quote, 1_500_000_000),
            ("all", Side::Base, u64::MAX),
        ] {
            assert_eq!(raw(text, side).unwrap(), expected, "{text}");
        }
        let error = raw("0.1 SOL", Side::Quote).unwrap_err().to_string();
        assert!(
            error.contains("`0.1 SOL` is an amount of SOL") && error.contains("write 0.1 USDC"),
            "{error}"
        );
        for wrong in ["-1", "x SOL", "SOL", "1 2", "", " SOL", "1.5 5", "-1 SOL"] {
            assert!(wrong.parse::<Quantity>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_known_by_its_name() {
        let side = |text: &str| text.parse::<Token>().unwrap().side(&names());
        for (text, expected) in [
            ("base", Side::Base),
            ("quote", Side::Quote),
            ("SOL", Side::Base),
            ("usdc", Side::Quote),
        ] {
            assert_eq!(side(text).unwrap(), expected, "{text}");
        }
        let error = side("BONK").unwrap_err().to_string();
        assert_eq!(
            error,
            "`BONK` is none of the market's tokens: write SOL (base) or USDC (quote)"
        );
    }
}
