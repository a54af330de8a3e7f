//! How far a result may differ from its plan. A wide bound is also what somebody who moves the pool's price can take, so
//! that one needs a second word.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result, bail, ensure};
use ballast_model::Bps;
use clap::Args;

use crate::{decimal::Ratio, format::bps, report::note};

/// More than this is asked about: ten times the default.
const ASKED_ABOVE: Bps = Bps::new(500);

/// What a wide bound may cost.
const AT_STAKE: &str = "the position may get that much less liquidity or more debt than planned, and whoever moves the pool's price in \
     between gains it";

/// How far liquidity and debts may differ from the plan.
#[derive(Args, Clone, Debug)]
pub struct SlippageArgs {
    /// How far liquidity and debts may differ from the plan; more than 5% is asked about
    #[arg(long, default_value = "0.5%", value_name = "RATIO")]
    pub slippage: Ratio,
    /// Do not ask about a slippage above 5%
    #[arg(long)]
    pub yes: bool,
}

impl SlippageArgs {
    /// The bound, once the user agreed to it. Asks on the terminal.
    ///
    /// # Errors
    /// A bound of 100 % or more; one above 5 % that nobody agreed to.
    pub fn agreed(&self) -> Result<Bps> {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        self.agreed_by(terminal.then(|| io::stdin().lock()))
    }

    /// As [`SlippageArgs::agreed`], with somebody who answers if there is one.
    fn agreed_by(&self, answers: Option<impl BufRead>) -> Result<Bps> {
        let slippage = self.slippage.bps_down().context("--slippage")?;
        ensure!(
            slippage < Bps::ONE,
            "--slippage {} must be below 1 (100%)",
            *self.slippage
        );
        if slippage <= ASKED_ABOVE || self.yes {
            return Ok(slippage);
        }
        let (given, limit) = (&*self.slippage, bps(ASKED_ABOVE.get()));
        let Some(mut answers) = answers else {
            bail!(
                "--slippage {given} is above {limit}: {AT_STAKE}; pass less, or --yes if that is meant (there is no \
                 terminal to ask on)"
            );
        };
        note(format_args!(
            "--slippage {given} is above {limit}: {AT_STAKE}. Go on? [y/N]"
        ));
        let mut answer = String::new();
        answers
            .read_line(&mut answer)
            .context("cannot read the answer")?;
        ensure!(
            matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"),
            "--slippage {given} was not agreed to, nothing was sent: pass {limit} or less"
        );
        Ok(slippage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(slippage: &str, yes: bool) -> SlippageArgs {
        SlippageArgs {
            slippage: slippage.parse().unwrap(),
            yes,
        }
    }

    #[test]
    fn a_wide_bound_needs_a_second_word() {
        let asked = |slippage: &str, answer: &str| {
            let agreed = given(slippage, false).agreed_by(Some(answer.as_bytes()));
            agreed.map_err(|error| error.to_string())
        };
        for answer in ["y\n", "YES\n", " y "] {
            assert_eq!(asked("10%", answer), Ok(Bps::new(1_000)));
        }
        for answer in ["", "\n", "n\n", "yeah\n"] {
            assert_eq!(
                asked("0.0501", answer),
                Err(
                    "--slippage 0.0501 was not agreed to, nothing was sent: pass 5.00% or less"
                        .into()
                )
            );
        }
        // Nobody is asked about these.
        for (slippage, expected) in [("0.5%", 50), ("5%", 500), ("0.05", 500), ("0", 0)] {
            assert_eq!(asked(slippage, ""), Ok(Bps::new(expected)));
        }
    }

    #[test]
    fn without_a_terminal_a_wide_bound_is_refused_unless_it_was_agreed_to_beforehand() {
        let nobody = None::<&[u8]>;
        let refused = given("6%", false).agreed_by(nobody).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "--slippage 6% is above 5.00%: {AT_STAKE}; pass less, or --yes if that is meant (there is no terminal \
                 to ask on)"
            )
        );
        let agreed = given("6%", true).agreed_by(nobody);
        assert_eq!(agreed.unwrap(), Bps::new(600));
        // Nobody can agree to this.
        for all in ["1", "100%", "150%"] {
            let refused = given(all, true).agreed_by(nobody).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("--slippage {all} must be below 1 (100%)")
            );
        }
    }
}
