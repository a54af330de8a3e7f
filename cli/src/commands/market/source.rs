//! Where a market's prices come from, and announcements that they will come from elsewhere.

use std::{fmt::Write, str::FromStr};

use anyhow::{Result, ensure};
use ballast_client::{OracleSource, Pubkey, instruction};
use clap::Args;

use crate::trouble::{NothingDue, misuse};
use crate::{address::address, report::Output};

use super::{
    admin::{Change, ChangeArgs},
    announced::source_change,
};

/// Where prices will come from. What is not given stays.
#[derive(Args, Debug)]
pub struct SourceArgs {
    /// Program that owns genuine price accounts
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub price_receiver: Option<Pubkey>,
    /// Feed of base/USD: 64 hexadecimal digits
    #[arg(long, value_name = "FEED")]
    pub base_feed: Option<Feed>,
    /// Feed of quote/USD: 64 hexadecimal digits
    #[arg(long, value_name = "FEED")]
    pub quote_feed: Option<Feed>,
    /// Price account of base/USD whose silence counts as evidence, or none
    #[arg(long, value_name = "ADDRESS")]
    pub base_price_account: Option<Named>,
    /// Price account of quote/USD whose silence counts as evidence, or none
    #[arg(long, value_name = "ADDRESS")]
    pub quote_price_account: Option<Named>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What a price is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed(pub [u8; 32]);

impl FromStr for Feed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a feed is 64 hexadecimal digits, with or without 0x, as Pyth lists it";
        let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
        let mut feed = [0; 32];
        if digits.len() != 2 * feed.len() {
            return Err(wrong);
        }
        for (byte, pair) in feed.iter_mut().zip(digits.chunks(2)) {
            for digit in pair {
                let digit = char::from(*digit).to_digit(16).ok_or(wrong)?;
                *byte = (*byte << 4) | u8::try_from(digit).unwrap_or(0);
            }
        }
        Ok(Self(feed))
    }
}

/// An address, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named(pub Pubkey);

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(Pubkey::default())),
            text => address(text).map(Self),
        }
    }
}

impl SourceArgs {
    fn applied_to(&self, source: OracleSource) -> OracleSource {
        let named = |given: Option<Named>, old| given.map_or(old, |Named(account)| account);
        let feed = |given: Option<Feed>, old| given.map_or(old, |Feed(feed)| feed);
        OracleSource {
            price_receiver: self.price_receiver.unwrap_or(source.price_receiver),
            base_feed: feed(self.base_feed, source.base_feed),
            quote_feed: feed(self.quote_feed, source.quote_feed),
            base_price_account: named(self.base_price_account, source.base_price_account),
            quote_price_account: named(self.quote_price_account, source.quote_price_account),
        }
    }
}

impl Change<'_> {
    /// Announces where prices will come from.
    ///
    /// # Errors
    /// If that is where they come from, or something is announced already; what the program refuses.
    pub async fn announce_source(self, args: &SourceArgs, output: &mut Output) -> Result<()> {
        let address = self.market.address;
        let now = self.market.market.oracle_source();
        let source = args.applied_to(now);
        ensure!(
            source != now,
            misuse!(
                "that is where prices come from already: pass at least one of --price-receiver, --base-feed, --quote-feed, \
             --base-price-account and --quote-price-account with another value"
            )
        );
        let standing = source_change(self.connection.chain(), &address).await?;
        ensure!(
            standing.is_none(),
            "another price source is announced already: take it back with `ballast market cancel-oracle`, or put it in \
             force with `ballast market apply` when its notice is over"
        );
        let announce = instruction::announce_oracle(&address, &self.key, source);
        let detail = Some(("change", difference(&now, &source)));
        let what = "announcing another price source";
        self.send(what, detail, [announce], output).await
    }

    /// Takes the announcement back.
    ///
    /// # Errors
    /// If there is none; what the program refuses.
    pub async fn cancel_source(self, output: &mut Output) -> Result<()> {
        let address = self.market.address;
        let standing = source_change(self.connection.chain(), &address).await?;
        let standing = standing.ok_or_else(|| {
            NothingDue("no other price source is announced: there is nothing to take back".into())
        })?;
        let cancel = instruction::cancel_oracle_change(&address, &self.key, &standing.payer);
        let what = "taking an announced price source back";
        self.send(what, None, [cancel], output).await
    }
}

/// What differs, with both values.
pub fn difference(before: &OracleSource, after: &OracleSource) -> String {
    let hex = |feed: &[u8; 32]| {
        feed.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let account = |key: &Pubkey| match *key == Pubkey::default() {
        true => "none".to_owned(),
        false => key.to_string(),
    };
    let shown = |source: &OracleSource| {
        [
            ("price receiver", source.price_receiver.to_string()),
            ("base feed", hex(&source.base_feed)),
            ("quote feed", hex(&source.quote_feed)),
            ("base price account", account(&source.base_price_account)),
            ("quote price account", account(&source.quote_price_account)),
        ]
    };
    let pairs = shown(before).into_iter().zip(shown(after));
    let changed = pairs.filter(|(before, after)| before != after);
    let changed: Vec<_> = changed
        .map(|((what, before), (_, after))| format!("{what}: {before} -> {after}"))
        .collect();
    changed.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_hexadecimal() {
        let text = format!("{}0f", "00".repeat(31));
        let mut expected = [0; 32];
        expected[31] = 15;
        for text in [text.clone(), format!("0x{text}"), text.to_uppercase()] {
            assert_eq!(text.parse(), Ok(Feed(expected)), "{text}");
        }
        for wrong in [
            "",
            "0x",
            &text[1..],
            &text.replace('f', "g"),
            &format!("{text}00"),
        ] {
            assert!(wrong.parse::<Feed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_is_given_changes_and_only_that_is_told() {
        let now = OracleSource {
            price_receiver: Pubkey::new_unique(),
            base_feed: [1; 32],
            quote_feed: [2; 32],
            base_price_account: Pubkey::new_unique(),
            quote_price_account: Pubkey::default(),
        };
        let other = Pubkey::new_unique();
        let args = SourceArgs {
            price_receiver: None,
            base_feed: Some(Feed([3; 32])),
            quote_feed: None,
            base_price_account: Some("none".parse().unwrap()),
            quote_price_account: Some(other.to_string().parse().unwrap()),
            change: ChangeArgs::default(),
        };
        let after = args.applied_to(now);
        assert_eq!(
            (after.price_receiver, after.quote_feed),
            (now.price_receiver, now.quote_feed)
        );
        let expected = format!(
            "base feed: {} -> {}; base price account: {} -> none; quote price account: none -> {other}",
            "01".repeat(32),
            "03".repeat(32),
            now.base_price_account
        );
        assert_eq!(difference(&now, &after), expected);
        assert_eq!(difference(&now, &now), "");
    }
}
