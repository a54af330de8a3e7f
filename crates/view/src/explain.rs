//! Decisions in words: one function for `ballast explain` and for the page.

use ballast::state::Reaction;
use ballast_model::{Amounts, HedgedPlan, Side, SqrtPrice, Trade};
use ballast_snapshot::MarketSnapshot;
use ballast_strategy::{
    ActionKind, Tokens,
    decide::{Action, Assessment, Decision, Explanation, Threshold},
};

use crate::{
    decision::{DecisionView, Next, NextTrigger, ThresholdView, Verdict},
    detail::maintenance,
    figures::{ends, scale},
    overrides::{Override, OverrideMode},
    position::PositionView,
    text::{bps, change, significant, sized},
};

impl DecisionView {
    /// A decision in words. What a person keeps the keeper from is paused, whatever is due.
    pub fn new(assessment: &Assessment, tokens: Tokens, paused: Option<&Override>) -> Self {
        let decision = &assessment.decision;
        let view = match decision {
            Decision::Nothing => Self {
                verdict: Verdict::Nothing,
                action: None,
                reason: None,
                obstacles: Vec::new(),
                details: None,
            },
            Decision::Act(action, reason) => Self {
                verdict: Verdict::Act,
                action: Some(action.kind()),
                reason: Some(reason.told(tokens)),
                obstacles: Vec::new(),
                details: Some(details(action, tokens)),
            },
            Decision::Blocked { wanted, reason, .. } => Self {
                verdict: Verdict::Blocked,
                action: Some(*wanted),
                reason: Some(reason.told(tokens)),
                obstacles: decision.obstacles(tokens, assessment.now_secs),
                details: None,
            },
        };
        match paused {
            Some(held) if held.mode == OverrideMode::Pause => Self {
                verdict: Verdict::Paused,
                ..view
            },
            _ => view,
        }
    }
}

fn details(action: &Action, tokens: Tokens) -> String {
    let both = |amounts: Amounts| tokens.both(amounts);
    let named = |raw: u64| tokens.amount(Side::Base, raw.into());
    let hedged = |plan: &HedgedPlan| {
        let swap = match plan.trade {
            Some(plan) if plan.trade == Trade::SellBase => {
                format!("sell {} in the pool", named(plan.base))
            }
            Some(plan) => format!("buy {} in the pool", named(plan.base)),
            None => "swap nothing".to_owned(),
        };
        if plan.liquidity > 0 {
            format!("withdraw {}, {swap} and repay with it", both(plan.withdraw))
        } else {
            swap
        }
    };
    match action {
        Action::Rehedge(plan) => hedged(plan),
        Action::DeleverageSwap { target, plan } => {
            format!("{}, down to LTV {target}", hedged(plan))
        }
        Action::Deleverage { target, plan } => {
            format!(
                "withdraw {} and repay {}, down to LTV {target}",
                both(plan.withdraw),
                both(plan.repay)
            )
        }
        Action::Recenter(plan) => {
            let [lower, upper] = plan.ticks;
            let swap = match plan.swap {
                Some((Trade::SellBase, sold)) => format!(", selling {}", named(sold)),
                Some((Trade::BuyBase, bought)) => format!(", buying {}", named(bought)),
                None => String::new(),
            };
            format!("move to the band of ticks {lower} to {upper}{swap}")
        }
        Action::Compound(plan) => format!("put fees of {} to work", both(plan.fees)),
        Action::Exit(plan) => {
            format!("repay everything and leave about {} idle", both(plan.idle))
        }
        Action::Liquidate { plan, .. } => format!("close {} of the debt", both(plan.repay)),
    }
}

/// What a threshold stands for, and what follows.
pub fn described(threshold: Threshold) -> &'static str {
    match threshold {
        Threshold::HedgeBand => "hedge error leaves its band: rehedge",
        Threshold::PolicyTrigger => "LTV reaches the policy's trigger: deleverage",
        Threshold::MarketTrigger => "LTV reaches the market's trigger: anyone may deleverage",
        Threshold::Maintenance => "LTV reaches maintenance: liquidation",
        Threshold::Band => "price leaves the band or reaches its edge: recenter",
        Threshold::Window => "price crosses an edge of the owner's window",
        Threshold::Floor => "equity reaches the owner's floor: exit",
    }
}

/// What is done when a threshold is reached on that side.
fn action_of(threshold: Threshold, reaction: u8) -> &'static str {
    match threshold {
        Threshold::HedgeBand => "rehedge",
        Threshold::PolicyTrigger | Threshold::MarketTrigger => "deleverage",
        Threshold::Maintenance => "liquidate",
        Threshold::Band => "recenter",
        Threshold::Floor => "exit",
        Threshold::Window => match Reaction::from_byte(reaction) {
            Some(Reaction::Hold) | None => "hold",
            Some(_) => "exit",
        },
    }
}

/// What happens first in either direction.
pub fn next(
    market: &MarketSnapshot,
    automation: &ballast::Automation,
    explanation: &Explanation,
) -> Next {
    let scale = scale(market);
    let towards = |falling: bool| {
        let (threshold, at) = explanation.next(falling)?;
        let reaction = if falling {
            automation.at_low
        } else {
            automation.at_high
        };
        Some(NextTrigger {
            price: scale.price(at),
            threshold,
            action: action_of(threshold, reaction),
        })
    };
    Next {
        below: towards(true),
        above: towards(false),
    }
}

/// Every threshold with the prices between which it is not reached.
pub fn thresholds(
    market: &MarketSnapshot,
    automation: &ballast::Automation,
    explanation: &Explanation,
) -> Vec<ThresholdView> {
    let scale = scale(market);
    let price = |root: SqrtPrice| scale.price(root);
    let all = explanation.boundaries.iter();
    all.map(|(threshold, boundaries)| {
        let (lower, upper) = ends(*boundaries);
        ThresholdView {
            threshold: *threshold,
            action: action_of(*threshold, automation.at_low.max(automation.at_high)),
            below: lower.map(price),
            above: upper.map(price),
            quiet: boundaries.contains(explanation.assessment.oracle),
        }
    })
    .collect()
}

/// Whether LTV has reached maintenance at the oracle's price.
pub fn liquidatable(market: &MarketSnapshot, assessment: &Assessment) -> bool {
    let value = assessment.model.value(assessment.oracle);
    value.is_ok_and(|value| value.ltv_at_least(maintenance(market)))
}

/// What [`sentence`] is about.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// What is made of it.
    pub decision: &'a DecisionView,
    /// What comes next.
    pub next: &'a Next,
    /// Its numbers.
    pub view: &'a PositionView,
    /// Largest hedge error that is left alone, base.
    pub hedge_tolerance: &'a str,
    /// The market's tokens.
    pub tokens: Tokens<'a>,
    /// The override that binds it.
    pub paused: Option<&'a Override>,
    /// See [`liquidatable`].
    pub liquidatable: bool,
    /// The keeper's mode for it; `None`: no keeper says this.
    pub mode: Option<&'a str>,
}

/// Why a keeper in a mode does not do what is due; `None`: it does.
fn inaction(mode: &str, action: ActionKind) -> Option<&'static str> {
    let reduces = matches!(
        action,
        ActionKind::Rehedge
            | ActionKind::Deleverage
            | ActionKind::DeleverageSwap
            | ActionKind::Exit
    );
    match mode {
        "halted" => Some("The keeper is halted and does not do it."),
        "observe" => Some("The keeper only observes and does not do it."),
        "paper" => Some("The keeper trades on paper and does not do it."),
        "reducing" if !reduces => Some("The keeper only reduces risk and does not do it."),
        _ => None,
    }
}

/// What is due and what comes next, in sentences. That anybody may liquidate it comes first, and that nobody here acts comes before
/// what would be done.
pub fn sentence(story: &Story) -> String {
    let Story {
        decision,
        next,
        view,
        hedge_tolerance,
        tokens,
        paused,
        liquidatable,
        mode,
    } = *story;
    let reached = if liquidatable {
        format!(
            "LTV {} has reached maintenance of {}, at which anybody may liquidate. ",
            bps(view.ltv_bps),
            bps(view.maintenance_ltv_bps)
        )
    } else {
        String::new()
    };
    let idle = mode
        .zip(decision.action)
        .filter(|_| decision.verdict == Verdict::Act)
        .and_then(|(mode, action)| inaction(mode, action))
        .map_or_else(String::new, |why| format!("{why} "));
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let action = decision
        .action
        .map(|action| capital(&action.to_string().replace('_', " ")));
    let action = action.unwrap_or_default();
    let due = match decision.verdict {
        Verdict::Nothing => format!(
            "Nothing is due at {} {} per {}: the hedge error is {} {} (up to {} is left alone), LTV {}.",
            significant(view.price, 8),
            tokens.quote,
            tokens.base,
            sized(&view.hedge_error),
            tokens.base,
            sized(hedge_tolerance),
            bps(view.ltv_bps)
        ),
        Verdict::Act => format!(
            "{action} is due: {}. {idle}It would {}.",
            name(&decision.reason),
            name(&decision.details)
        ),
        Verdict::Blocked => {
            let obstacles: Vec<_> = decision
                .obstacles
                .iter()
                .map(|text| capital(text))
                .collect();
            format!(
                "{action} is due, but blocked. {}. {}.",
                capital(&name(&decision.reason)),
                obstacles.join(". ")
            )
        }
        Verdict::Paused => {
            let note = paused.map_or("", |held| held.note.as_str());
            match &decision.reason {
                Some(reason) => format!("Paused: {note}. {action} would be due: {reason}."),
                None => format!("Paused: {note}. Nothing is due."),
            }
        }
    };
    let way = |next: &Option<NextTrigger>, verb: &str| match next {
        Some(next) => format!(
            "If the price {verb} to {} ({}): {}.",
            significant(next.price, 8),
            change(next.price / view.price - 1.0),
            described(next.threshold)
        ),
        None => {
            let more = match decision.verdict {
                Verdict::Nothing => "",
                _ => "more ",
            };
            format!("If the price {verb}: nothing {more}becomes due.")
        }
    };
    format!(
        "{reached}{due} {} {}",
        way(&next.below, "falls"),
        way(&next.above, "rises")
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::{
        decide::explain,
        fixtures::{self, TOKENS},
    };

    use super::*;
    use crate::text::amount;

    fn said(dollars: i64, paused: Option<&Override>) -> (DecisionView, String) {
        said_in(dollars, paused, Some("active"))
    }

    fn said_in(
        dollars: i64,
        paused: Option<&Override>,
        mode: Option<&str>,
    ) -> (DecisionView, String) {
        let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        let explanation = explain(&fixtures::situation(&market, &position)).unwrap();
        let decision = DecisionView::new(&explanation.assessment, TOKENS, paused);
        let next = next(&market, &position.automation, &explanation);
        let view = PositionView::new(&market, market.address, &position).unwrap();
        let tolerance = amount(explanation.assessment.hedge_tolerance, 9);
        let text = sentence(&Story {
            decision: &decision,
            next: &next,
            view: &view,
            hedge_tolerance: &tolerance,
            tokens: TOKENS,
            paused,
            liquidatable: liquidatable(&market, &explanation.assessment),
            mode,
        });
        (decision, text)
    }

    #[test]
    fn nothing_due_says_what_comes_next_in_either_direction() {
        let (decision, text) = said(200, None);
        assert_eq!(decision.verdict, Verdict::Nothing);
        assert!(
            text.starts_with("Nothing is due at 200 USDC per SOL: the hedge error is "),
            "{text}"
        );
        // As many places as the size needs: `0.` and six.
        let numbers = text.split([' ', '(']).filter(|word| word.starts_with("0."));
        assert!(numbers.clone().count() > 0, "{text}");
        assert!(numbers.clone().all(|word| word.len() <= 8), "{text}");
        assert!(text.contains("If the price falls to 19"), "{text}");
        assert!(
            text.ends_with("hedge error leaves its band: rehedge."),
            "{text}"
        );
    }

    #[test]
    fn what_is_due_is_said_with_its_reason_and_what_it_would_do() {
        let (decision, text) = said(206, None);
        assert_eq!(decision.verdict, Verdict::Act, "{text}");
        assert!(text.starts_with("Rehedge is due: short by "), "{text}");
        assert!(
            text.contains(" SOL, ") && text.contains("It would buy "),
            "{text}"
        );
    }

    #[test]
    fn that_anybody_may_liquidate_comes_first_and_that_the_keeper_does_nothing_is_said() {
        // The fixture's maintenance is 83 %, its upper boundary 271.
        for (dollars, reached) in [(270, false), (280, true)] {
            let (_, text) = said(dollars, None);
            assert_eq!(text.starts_with("LTV "), reached, "{dollars}: {text}");
            assert_eq!(
                text.contains(
                    " has reached maintenance of 83.00%, at which anybody may liquidate. "
                ),
                reached,
                "{text}"
            );
        }
        for (mode, word) in [
            ("halted", "is halted"),
            ("observe", "only observes"),
            ("paper", "trades on paper"),
        ] {
            let (decision, text) = said_in(206, None, Some(mode));
            assert_eq!(decision.verdict, Verdict::Act);
            assert!(
                text.contains(&format!(
                    ". The keeper {word} and does not do it. It would "
                )),
                "{text}"
            );
        }
        for mode in [Some("active"), Some("reducing"), None] {
            let (_, text) = said_in(206, None, mode);
            assert!(!text.contains("does not do it"), "{text}");
        }
        assert!(inaction("reducing", ActionKind::Recenter).is_some());
        // Nothing is due: nothing is left undone.
        assert!(
            !said_in(200, None, Some("halted"))
                .1
                .contains("does not do it")
        );
    }

    #[test]
    fn a_pause_comes_first_and_keeps_what_would_be_due() {
        let held = Override {
            id: 1,
            secs: 0,
            scope: crate::overrides::Scope::Position,
            mode: OverrideMode::Pause,
            note: "owner asked".into(),
            by: "cli".into(),
            position: None,
            number: None,
            market: None,
            until_secs: None,
        };
        let (decision, text) = said(206, Some(&held));
        assert_eq!(decision.verdict, Verdict::Paused);
        assert!(
            text.starts_with("Paused: owner asked. Rehedge would be due: short by"),
            "{text}"
        );
        let reduce = Override {
            mode: OverrideMode::Reduce,
            ..held
        };
        assert_eq!(said(206, Some(&reduce)).0.verdict, Verdict::Act);
    }
}
