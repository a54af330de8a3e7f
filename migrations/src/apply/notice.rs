//! Changes that may need notice: announced, waited for, put in force or taken back.

use ballast_client::{Account, DecodeError, Instruction, Market, Pubkey};

use super::{
    ApplyError, Run,
    change::{Next, waiting},
};

/// A change of a market, of whatever belongs to it.
pub(super) struct Noticed<'a> {
    /// The market, whose authority signs.
    pub market: (Pubkey, &'a Market),
    /// What is to be done.
    pub next: Next,
    /// The cluster's time.
    pub now_secs: i64,
    /// What changes, and how.
    pub changes: String,
    /// What an announcement of it is, where that is taken back.
    pub announcement: String,
    /// Makes the change, or announces it: that is the program's to say.
    pub update: Vec<Instruction>,
    /// Takes an announcement back.
    pub take_back: Vec<Instruction>,
    /// Puts it in force. Anyone.
    pub put_in_force: Instruction,
    /// The account that says whether it is only announced, and from when on it may be put in force: 0 if it is in force.
    pub announced_in: Pubkey,
    pub effective_at_secs: fn(&Pubkey, Option<&Account>) -> Result<i64, DecodeError>,
}

impl Run<'_> {
    /// Takes the next step of a change, and tells what is left of it.
    pub(super) async fn take(&mut self, change: Noticed<'_>) -> Result<(), ApplyError> {
        let Noticed {
            changes, now_secs, ..
        } = change;
        let (address, market) = change.market;
        match change.next {
            Next::Nothing => {}
            Next::Wait { effective_at_secs } => {
                self.pending
                    .push(waiting(changes, effective_at_secs, now_secs));
            }
            Next::PutInForce => {
                let what = format!("put in force what was announced for {changes}");
                self.step(what, [change.put_in_force]).await?;
            }
            Next::TakeBack => {
                self.require_authority(address, market)?;
                let what = format!("took back {}", change.announcement);
                self.step(what, change.take_back).await?;
            }
            Next::Update => {
                self.require_authority(address, market)?;
                self.step(format!("updated {changes}"), change.update)
                    .await?;
                let at = change.announced_in;
                let found = self.sender.chain().account(&at).await?;
                let effective_at_secs = (change.effective_at_secs)(&at, found.as_ref())?;
                if effective_at_secs > 0 {
                    self.announced(waiting(changes, effective_at_secs, now_secs));
                }
            }
        }
        Ok(())
    }
}
