//! Where a keeper writes: its journal, its history, its decisions.

use crate::{
    config::Config,
    decisions::Recorder,
    event::KeeperEvent,
    events::Events,
    history,
    journal::{Header, Journal, JournalError, Recovered, SharedJournal, Storage},
};

use super::Parts;

/// The journal, as far as it got.
pub(super) fn open_journal(
    config: &Config,
    storage: Option<Box<dyn Storage>>,
    header: &Header,
) -> Result<(SharedJournal, Recovered), JournalError> {
    Ok(match storage {
        Some(storage) => {
            let (journal, recovered) = Journal::with_storage(storage, "journal".into(), header)?;
            (SharedJournal::new(journal), recovered)
        }
        None => {
            let (journal, recovered) = Journal::open(&config.journal_dir, header)?;
            (SharedJournal::new(journal), recovered)
        }
    })
}

/// Where the history goes. A keeper whose journal is no file keeps none.
pub(super) fn history_setting(parts: &Parts) -> Option<history::Setting> {
    let config = &parts.config;
    if parts.storage.is_some() {
        return None;
    }
    let keeper = parts
        .signer
        .as_ref()
        .map(|signer| signer.address())
        .unwrap_or_default();
    Some(history::Setting {
        location: config.history.location(&config.journal_dir)?,
        whose: format!("keeper {keeper} on cluster {}", parts.genesis_hash),
        journal_dir: config.journal_dir.clone(),
        keep_days: config.history.keep_days,
        backfill: config.history.backfill,
    })
}

/// Records decisions beside the journal, if that is wanted and there is a place.
pub(super) fn recorder(config: &Config, has_files: bool, events: &Events) -> Recorder {
    if !has_files || !config.history.record_decisions {
        return Recorder::default();
    }
    Recorder::to(&config.journal_dir).unwrap_or_else(|error| {
        let message = format!(
            "decisions are not recorded: {}: {error}",
            config.journal_dir.display()
        );
        events.send(KeeperEvent::Warning { message });
        Recorder::default()
    })
}
