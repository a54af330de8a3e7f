//! The stream of [`KeeperEvent`]s: to whoever subscribes, and to the log.

use tokio::sync::broadcast;
use tracing::{error, info, warn};

use crate::{event::KeeperEvent, hedge::HedgeEvent};

/// Events kept for slow listeners.
const CAPACITY: usize = 4_096;

/// Where events go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<KeeperEvent>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Events {
    /// A stream of all events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<KeeperEvent> {
        self.0.subscribe()
    }

    /// Logs an event and passes it on.
    pub(crate) fn send(&self, event: KeeperEvent) {
        log(&event);
        // Nobody listening is fine.
        let _ = self.0.send(event);
    }
}

fn log(event: &KeeperEvent) {
    use KeeperEvent as E;
    match event {
        E::Started {
            mode,
            keeper,
            open_intents,
        } => info!(?mode, %keeper, open_intents, "keeper started"),
        E::Resync {
            market,
            slot,
            positions,
        } => info!(%market, slot, positions, "market read anew"),
        E::StreamLost { reason } => warn!(reason, "stream lost; polling until it is back"),
        E::Decision(decision) => {
            let inputs = &decision.inputs;
            let obstacles = &decision.obstacles;
            info!(
                position = %decision.position,
                action = decision.action.map(|action| action.to_string()),
                reason = decision.reason,
                obstacles = (!obstacles.is_empty()).then(|| obstacles.join("; ")),
                slot = inputs.slot,
                ltv_bps = inputs.ltv_bps,
                equity = %inputs.equity,
                hedge_error = %inputs.hedge_error,
                oracle_x64 = %inputs.oracle_x64,
                "decision"
            );
        }
        E::Sent {
            position,
            action,
            signature,
            attempt,
            resumed,
        } => {
            info!(%position, %action, %signature, attempt, resumed, "sent");
        }
        E::Resolved {
            position,
            action,
            signature,
            outcome,
            ..
        } => {
            info!(%position, %action, %signature, ?outcome, "resolved");
        }
        E::Refused {
            position,
            action,
            error,
        } => warn!(%position, %action, error, "not sent: it would fail"),
        E::Paper {
            position,
            action,
            error,
        } => info!(%position, %action, error, "paper: simulated"),
        E::Override(entry) => {
            warn!(
                id = entry.id,
                scope = ?entry.scope,
                mode = %entry.mode,
                by = entry.by,
                note = entry.note,
                until_secs = entry.until_secs,
                "override"
            );
        }
        E::ModeChanged { mode, reason } => warn!(%mode, reason, "another mode"),
        E::RedFlag {
            flag,
            raised: true,
            value,
            threshold,
            note,
        } => warn!(flag = flag.name(), value, threshold, note, "red flag"),
        E::RedFlag { flag, value, .. } => {
            info!(flag = flag.name(), value, "red flag is quiet again");
        }
        E::BoundaryNear {
            market,
            position,
            positions,
            within_sigma_days_bps,
            ltv_bps,
        } => warn!(
            %market, %position, positions, within_sigma_days_bps, ltv_bps,
            "liquidation boundaries have come near"
        ),
        E::Contingency {
            market,
            short: true,
            gap_bps,
            base,
            quote,
        } => warn!(
            %market, gap_bps, ?base, ?quote,
            "too little is kept for a gap (needed, kept)"
        ),
        E::Contingency { market, .. } => info!(%market, "enough is kept for a gap again"),
        E::Hedge(event) => hedge(event),
        E::Warning { message } => warn!("{message}"),
        E::Recovered { market, reason } => {
            info!(%market, reason, "the node answers again; before that:");
        }
        E::Halted { reason } => error!(reason, "halted"),
        E::Stopped => info!("keeper stopped"),
    }
}

fn hedge(event: &HedgeEvent) {
    use HedgeEvent as H;
    match event {
        H::Sent {
            coin,
            side,
            size,
            cap,
            reduce_only,
            cloid,
        } => info!(coin, ?side, %size, %cap, reduce_only, cloid, "hedge: order"),
        H::Ended {
            coin,
            cloid,
            outcome,
            filled,
            reason,
        } => info!(coin, cloid, outcome, %filled, reason, "hedge: order ended"),
        H::Paper {
            coin,
            side,
            size,
            cap,
        } => info!(coin, ?side, %size, %cap, "hedge: would be sent"),
        H::OthersTrade {
            coin,
            by,
            side,
            size,
            price,
        } => warn!(coin, ?by, ?side, %size, %price, "hedge: a trade that is not ours"),
        H::Trouble { coin, kind, reason } => warn!(coin, ?kind, reason, "hedge: trouble"),
        H::Recovered { coin, reason } => info!(coin, reason, "hedge goes on; before that:"),
        H::Leader { leads } => warn!(leads, "hedge: leader's lease"),
    }
}
