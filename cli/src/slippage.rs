//! How far a result may differ from its plan. A wide bound is also what somebody who moves the pool's price can take, so that the
//! plan warns of one.

use anyhow::{Context, Error, Result, ensure};
use ballast_client::{BallastError, SendError};
use ballast_model::Bps;
use clap::Args;

use crate::{
    decimal::Ratio,
    format::bps,
    trouble::{Explained, misuse},
};

/// More than this is warned of: ten times the default.
const WIDE: Bps = Bps::new(500);

/// How far a result may differ from its plan.
#[derive(Args, Clone, Debug)]
pub struct SlippageArgs {
    /// How far liquidity and debts may end from the plan, as a part of all that the position then holds; more than 5% is warned of
    #[arg(long, default_value = "0.5%", value_name = "RATIO")]
    pub slippage: Ratio,
}

impl SlippageArgs {
    /// The bound.
    ///
    /// # Errors
    /// 100 % or more.
    pub fn bound(&self) -> Result<Bps> {
        let slippage = self.slippage.bps_down().context("--slippage")?;
        ensure!(
            slippage < Bps::ONE,
            misuse!("--slippage {} must be below 1 (100%)", *self.slippage)
        );
        Ok(slippage)
    }
}

/// What whoever agrees to a wide bound should know.
pub fn warning(slippage: Bps) -> Option<String> {
    (slippage > WIDE).then(|| {
        format!(
            "--slippage {} is above {}: the position may get that much less liquidity or more debt than planned, and whoever \
             moves the pool's price in between gains it",
            bps(slippage.get()),
            bps(WIDE.get())
        )
    })
}

/// Whether the program refuses because a result is too far from its plan.
pub fn is_exceeded(error: &Error) -> bool {
    error.chain().any(|cause| {
        let sent = cause.downcast_ref::<SendError>();
        let explained = cause.downcast_ref::<Explained>();
        sent.or(explained.map(|explained| &explained.error))
            .is_some_and(|error| error.is(BallastError::SlippageExceeded))
    })
}

/// Such a refusal with what to do: with what would have sufficed, if that is known.
pub fn exceeded(error: Error, slippage: Bps, sufficient: Option<Bps>) -> Error {
    let what = format!(
        "what would land is further from the plan than --slippage {}",
        bps(slippage.get())
    );
    error.context(match sufficient {
        Some(enough) => format!(
            "{what}: pass --slippage {}, with which it would go through now, or try again for a new plan",
            bps(enough.get())
        ),
        None => format!("{what}: try again for a new plan, or pass a larger --slippage"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_bound_is_warned_of_and_nobody_can_agree_to_all() {
        let bound = |text: &str| {
            let slippage = text.parse().unwrap();
            SlippageArgs { slippage }.bound()
        };
        for (text, expected, warned) in [
            ("0", 0, false),
            ("0.5%", 50, false),
            ("5%", 500, false),
            ("0.0501", 501, true),
            ("99%", 9_900, true),
        ] {
            let bound = bound(text).unwrap();
            assert_eq!(bound, Bps::new(expected));
            assert_eq!(warning(bound).is_some(), warned, "{text}");
        }
        let told = warning(Bps::new(600)).unwrap();
        assert!(
            told.starts_with("--slippage 6.00% is above 5.00%: "),
            "{told}"
        );
        for all in ["1", "100%", "150%"] {
            assert_eq!(
                bound(all).unwrap_err().to_string(),
                format!("--slippage {all} must be below 1 (100%)")
            );
        }
    }
}
