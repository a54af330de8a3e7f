//! A pool's depth as text.
//!
//! Lines that begin with `#` are comments. Lines of a name and its value come first, then the heading `tick,liquidity_net` and a line
//! for each tick at which liquidity changes, upwards:
//!
//! ```text
//! sqrt_price_x64,8249634742471189717
//! tick_current,-16096
//! liquidity,1200000000000
//! fee_rate_ppm,400
//! known,-33792,0
//! tick,liquidity_net
//! -20000,1200000000000
//! -12000,-1200000000000
//! ```
//!
//! `tick_current` and `known` (the ticks between which nothing is missing) may be left out: then the tick is the price's, and all
//! is known.

use std::{collections::BTreeMap, fmt::Write as _, str::FromStr};

use ballast_clmm::{SqrtPrice, Tick};
use thiserror::Error;

use crate::{Depth, DepthError, depth::PoolNow};

/// The heading of the ticks.
const HEADING: &str = "tick,liquidity_net";

/// What is wrong with a file of a pool's depth.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DepthFileError {
    /// A line that is none of those that there are.
    #[error(
        "line {line}: `{text}` is neither a name and its value nor, after `{HEADING}`, a tick and its change of liquidity"
    )]
    Line {
        /// Its number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A value that is no whole number of its size.
    #[error("line {line}: `{text}` is no whole number that {name} can be")]
    Number {
        /// Its number, from 1.
        line: usize,
        /// Of what.
        name: &'static str,
        /// The value.
        text: String,
    },
    /// A tick or name that came before.
    #[error("line {line}: {text} comes twice")]
    Twice {
        /// Its number, from 1.
        line: usize,
        /// The tick or name.
        text: String,
    },
    /// Something that must be there.
    #[error("no line `{0},...`: it has to be there")]
    Missing(&'static str),
    /// See [`DepthError`].
    #[error(transparent)]
    Depth(#[from] DepthError),
}

#[derive(Default)]
struct Named {
    sqrt_price: Option<SqrtPrice>,
    tick_current: Option<i32>,
    liquidity: Option<u128>,
    fee_ppm: Option<u32>,
    known: Option<(i32, i32)>,
}

fn number<T: FromStr>(line: usize, name: &'static str, text: &str) -> Result<T, DepthFileError> {
    let text = text.trim();
    text.parse().map_err(|_| DepthFileError::Number {
        line,
        name,
        text: text.to_owned(),
    })
}

impl Named {
    fn take(&mut self, line: usize, text: &str) -> Result<(), DepthFileError> {
        fn once<T>(
            line: usize,
            name: &str,
            slot: &mut Option<T>,
            value: T,
        ) -> Result<(), DepthFileError> {
            match slot.replace(value) {
                None => Ok(()),
                Some(_) => Err(DepthFileError::Twice {
                    line,
                    text: name.to_owned(),
                }),
            }
        }
        let (name, value) = text.split_once(',').unwrap_or((text, ""));
        match name.trim() {
            name @ "sqrt_price_x64" => {
                let price = SqrtPrice::new(number(line, "sqrt_price_x64", value)?);
                let price = price.map_err(|_| DepthFileError::Number {
                    line,
                    name: "sqrt_price_x64",
                    text: value.trim().to_owned(),
                })?;
                once(line, name, &mut self.sqrt_price, price)
            }
            name @ "tick_current" => once(
                line,
                name,
                &mut self.tick_current,
                number(line, "tick_current", value)?,
            ),
            name @ "liquidity" => once(
                line,
                name,
                &mut self.liquidity,
                number(line, "liquidity", value)?,
            ),
            name @ "fee_rate_ppm" => once(
                line,
                name,
                &mut self.fee_ppm,
                number(line, "fee_rate_ppm", value)?,
            ),
            name @ "known" => {
                let (from, to) = value.split_once(',').unwrap_or((value, ""));
                let known = (number(line, "known", from)?, number(line, "known", to)?);
                once(line, name, &mut self.known, known)
            }
            _ => Err(DepthFileError::Line {
                line,
                text: text.to_owned(),
            }),
        }
    }
}

impl FromStr for Depth {
    type Err = DepthFileError;

    fn from_str(text: &str) -> Result<Self, DepthFileError> {
        let mut named = Named::default();
        let mut net = BTreeMap::new();
        let mut ticks = false;
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if !ticks {
                if text == HEADING {
                    ticks = true;
                } else {
                    named.take(line, text)?;
                }
                continue;
            }
            let Some((tick, change)) = text.split_once(',') else {
                return Err(DepthFileError::Line {
                    line,
                    text: text.to_owned(),
                });
            };
            let tick: i32 = number(line, "tick", tick)?;
            if net
                .insert(tick, number(line, "liquidity_net", change)?)
                .is_some()
            {
                return Err(DepthFileError::Twice {
                    line,
                    text: format!("tick {tick}"),
                });
            }
        }
        if !ticks {
            return Err(DepthFileError::Missing("tick"));
        }
        let sqrt_price = named
            .sqrt_price
            .ok_or(DepthFileError::Missing("sqrt_price_x64"))?;
        let pool = PoolNow {
            sqrt_price,
            tick_current: named
                .tick_current
                .unwrap_or_else(|| sqrt_price.tick().get()),
            liquidity: named
                .liquidity
                .ok_or(DepthFileError::Missing("liquidity"))?,
            fee_ppm: named
                .fee_ppm
                .ok_or(DepthFileError::Missing("fee_rate_ppm"))?,
        };
        let known = named.known.unwrap_or((Tick::MIN.get(), Tick::MAX.get()));
        Ok(Self::new(pool, net, known)?)
    }
}

impl Depth {
    /// As a file, which reads back as the same.
    pub fn to_csv(&self) -> String {
        let mut text = format!(
            "# A pool's depth in raw units: see `ballast quote --help`.\nsqrt_price_x64,{}\ntick_current,{}\nliquidity,{}\n\
             fee_rate_ppm,{}\nknown,{},{}\n{HEADING}\n",
            self.sqrt_price().x64(),
            self.tick_current(),
            self.liquidity(),
            self.fee_ppm(),
            self.known().0,
            self.known().1
        );
        for (tick, net) in self.net() {
            let _ = writeln!(text, "{tick},{net}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\nsqrt_price_x64,8249634742471189717\nliquidity,1200\nfee_rate_ppm,400\n\ntick,liquidity_net\n\
                        -20000,1200\n-12000,-1200\n";

    #[test]
    fn a_file_goes_there_and_back() {
        let depth: Depth = FILE.parse().unwrap();
        assert_eq!((depth.tick_current(), depth.liquidity()), (-16_096, 1_200));
        assert_eq!(depth.known(), (-443_636, 443_636));
        assert_eq!(depth.to_csv().parse(), Ok(depth.clone()));
        assert_eq!(depth.liquidity_at(-20_001), Some(0));
        assert_eq!(depth.liquidity_at(-20_000), Some(1_200));
        assert_eq!(depth.liquidity_at(-12_001), Some(1_200));
        assert_eq!(depth.liquidity_at(-12_000), Some(0));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (from, to, said) in [
            (
                "liquidity,1200\n",
                "",
                "no line `liquidity,...`: it has to be there",
            ),
            (
                "sqrt_price_x64,8249634742471189717\n",
                "",
                "no line `sqrt_price_x64,...`: it has to be there",
            ),
            (
                "fee_rate_ppm,400\n",
                "",
                "no line `fee_rate_ppm,...`: it has to be there",
            ),
            (
                "tick,liquidity_net\n",
                "",
                "line 6: `-20000,1200` is neither a name and its value nor, after `tick,liquidity_net`, a \
                                          tick and its change of liquidity",
            ),
            (
                "-12000,-1200",
                "-20000,-1200",
                "line 8: tick -20000 comes twice",
            ),
            (
                "liquidity,1200\n",
                "liquidity,1200\nliquidity,1\n",
                "line 4: liquidity comes twice",
            ),
            (
                "-12000,-1200",
                "-12000,-1.5",
                "line 8: `-1.5` is no whole number that liquidity_net can be",
            ),
            (
                "-12000,-1200",
                "-12000",
                "line 8: `-12000` is neither a name and its value nor, after `tick,liquidity_net`, a tick and \
                                        its change of liquidity",
            ),
            (
                "-12000,-1200",
                "500000,-1200",
                "tick 500000 is beyond the ticks that pools have: -443636 to 443636",
            ),
            (
                "-12000,-1200",
                "-12000,-1201",
                "liquidity is negative beyond tick -12000: the changes do not belong to the active \
                                              liquidity",
            ),
            (
                "-20000,1200",
                "-20000,1201",
                "liquidity is negative beyond tick -20000: the changes do not belong to the active \
                                            liquidity",
            ),
            (
                "rate_ppm,400",
                "rate_ppm,1000000",
                "fee of 1000000 ppm must be below 1000000",
            ),
            (
                "fee_rate_ppm,400",
                "fee_rate_ppm,400\nknown,0,10",
                "the known ticks 0 to 10 do not hold the current tick -16096",
            ),
            (
                "fee_rate_ppm,400",
                "fee_rate_ppm,400\ntick_current,7",
                "current tick 7 is not that of the price: -16096",
            ),
            (
                "8249634742471189717",
                "1",
                "line 2: `1` is no whole number that sqrt_price_x64 can be",
            ),
        ] {
            let text = FILE.replace(from, to);
            assert_ne!(text, FILE);
            assert_eq!(text.parse::<Depth>().unwrap_err().to_string(), said);
        }
    }
}
