//! A position as it is looked at before anything is done, and what follows from it.

use ballast_client::{Position, PositionContext};
use ballast_model::Amounts;
use ballast_strategy::{
    decide::{Action, ActionKind, Assessment, Decision, assess},
    situation::{Outlook, Situation, SituationError},
    urgency::{Stakes, sol_side},
};
use solana_sdk::pubkey::Pubkey;

use super::{Executor, Job, Report, Seen, Trouble, View, fee};

/// All that a decision rests on.
#[derive(Clone)]
pub(super) struct Look {
    pub view: View,
    pub position: PositionContext,
    outlook: Outlook,
    keeper: Pubkey,
    min_gain: u64,
}

impl Look {
    /// Decides.
    pub fn assess(&self) -> Result<Assessment, SituationError> {
        assess(&self.situation())
    }

    /// As a decision takes it.
    pub fn situation(&self) -> Situation<'_> {
        Situation {
            market: &self.view.market,
            position: &self.position.position,
            now_secs: self.view.market.now_secs,
            slot: self.view.market.slot,
            keeper: self.keeper,
            funds: self.view.funds,
            min_gain: self.min_gain,
            outlook: self.outlook,
        }
    }

    /// How near its liquidation boundary is, and what is lost there.
    pub fn stakes(&self, at: &Assessment) -> Stakes {
        let market = &self.view.market.market;
        let sol = sol_side(market);
        fee::stakes(at, &market.limits, self.outlook.volatility, sol)
    }

    fn seen(&self) -> Seen {
        Seen {
            slot: self.view.market.slot,
            at_secs: self.view.market.now_secs,
            fees: self.outlook.fees,
            booked_fees: self.outlook.booked_fees,
            reward_lamports: self.outlook.reward_lamports,
        }
    }
}

/// The action, if one of that kind is to be done.
pub(super) fn acts(at: &Assessment, kind: ActionKind) -> Option<Action> {
    match at.decision {
        Decision::Act(action, _) if action.kind() == kind => Some(action),
        _ => None,
    }
}

impl Executor {
    /// Looks at a job's position at one slot and notes what it sees in the report; `None` if it does not exist.
    pub(super) async fn look(
        &self,
        job: &Job,
        report: &mut Report,
    ) -> Result<Option<Look>, Trouble> {
        let view = self.view_with_funds(job).await?;
        report.fresh = Some(view.fresh.clone());
        let look = self.look_at(job, view).await?;
        report.seen = look.as_ref().map(Look::seen);
        Ok(look)
    }

    /// Looks once more, at other price accounts than the book's: for the book that is nothing.
    pub(super) async fn look_again(&self, job: &Job) -> Result<Option<Look>, Trouble> {
        let view = self.view_with_funds(job).await?;
        self.look_at(job, view).await
    }

    async fn view_with_funds(&self, job: &Job) -> Result<View, Trouble> {
        let liquidation = &self.config.liquidation;
        let wallet: Option<(_, Amounts)> = liquidation
            .enabled
            .then(|| (job.market.wallet(&self.keeper()), liquidation.max_pay));
        Ok(self.view(job, wallet).await?)
    }

    async fn look_at(&self, job: &Job, view: View) -> Result<Option<Look>, Trouble> {
        let Some(position) = view.position.clone() else {
            return Ok(None);
        };
        let outlook = Outlook {
            fees: view.fees.map(|fees| fees.pending),
            booked_fees: view.fees.map(|fees| fees.booked),
            reward_lamports: self.reward_lamports(&view, &position.position).await?,
            ..job.outlook
        };
        Ok(Some(Look {
            view,
            position,
            outlook,
            keeper: self.keeper(),
            min_gain: self.config.liquidation.min_gain,
        }))
    }

    /// Lamports on the position's account beyond its rent, if the owner pays rewards at all.
    async fn reward_lamports(
        &self,
        view: &View,
        position: &Position,
    ) -> Result<Option<u64>, Trouble> {
        let Some(account) = &view.fresh.position else {
            return Ok(None);
        };
        if position.automation.reward_lamports == 0 {
            return Ok(Some(0));
        }
        let known = self.learned().position_rent;
        let rent = match known {
            Some(rent) => rent,
            None => {
                let rent = self.chain.rent_lamports(Position::SPACE).await?;
                self.learned().position_rent = Some(rent);
                rent
            }
        };
        Ok(Some(account.lamports.saturating_sub(rent)))
    }
}
