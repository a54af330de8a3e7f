//! What kind of trouble ended a command: its exit code, and what to type next.

use anyhow::Error;
use ballast_client::{
    BallastError, Cause, ChainError, LoadError, MarketError, SendError,
    lookup_table::LookupTableError,
};
use ballast_keeper::KeeperError;
use ballast_model::{OpenError, TargetError};
use ballast_simulator::growth::GrowthError;
use serde_json::{Value, json};
use solana_sdk::transaction::TransactionError;

use crate::{consent::NotAgreed, decimal::NumberError, report::Told, wallet::Unfunded};

/// A kind of trouble. Scripts tell them apart by exit code or by the name in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file or key cannot be used, or a check failed.
    Other,
    /// The command line makes no sense.
    Usage,
    /// The cluster did not answer, or a transaction was not seen to land.
    Cluster,
    /// A program refused.
    Refused,
    /// There is nothing to do, or not yet.
    NothingDue,
}

impl Kind {
    /// The process ends with it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::Cluster => 3,
            Self::Refused => 4,
            Self::NothingDue => 5,
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "error",
            Self::Usage => "usage",
            Self::Cluster => "cluster",
            Self::Refused => "refused",
            Self::NothingDue => "nothing_due",
        }
    }

    /// What to type next, after that command.
    pub fn help_in(self, command: &str) -> Option<&'static str> {
        let group = command.split_whitespace().next().unwrap_or_default();
        match (self, group) {
            // What is typed is wrong: that command's help says more than the list of commands.
            (Self::Usage, _) => None,
            (Self::Refused, "market" | "deploy" | "migrate" | "open") => {
                Some("`ballast market show` says what the market allows, and who may change it")
            }
            (Self::Refused, "lend") => Some(
                "`ballast lend show` says what is lent, `ballast market show` what the market allows",
            ),
            (Self::NothingDue, "market") => Some(
                "`ballast market show` says what is announced, and from when it can be applied",
            ),
            (Self::NothingDue, "lend") => {
                Some("`ballast lend show` says what is lent, and what the reserves stand at")
            }
            _ => self.help(),
        }
    }

    /// What to type next; `None` where the message says it itself.
    pub fn help(self) -> Option<&'static str> {
        match self {
            Self::Other => None,
            Self::Usage => Some("`ballast help COMMAND` says what a command takes"),
            Self::Cluster => Some("`ballast doctor` says what is wrong with node and cluster"),
            Self::Refused => Some(
                "`ballast explain POSITION` says what stands in the way, `ballast market show` what the market allows",
            ),
            Self::NothingDue => {
                Some("`ballast explain POSITION` says what comes next, and at which price")
            }
        }
    }
}

/// A command line that can be read and makes no sense: options that contradict each other, a number out of range.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);

/// A [`Misuse`] in these words, for `ensure!` and `bail!`.
macro_rules! misuse {
    ($($words:tt)+) => {
        $crate::trouble::Misuse(format!($($words)+))
    };
}
pub(crate) use misuse;

/// There is nothing to do, found out before anything was asked of a program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NothingDue(pub String);

/// A transaction that failed, with what the program logged about it.
#[derive(Debug, thiserror::Error)]
#[error("{error} (the program says: {words})")]
pub struct Explained {
    /// Not a `source`: it is in the message already.
    pub error: SendError,
    /// The program's own words.
    pub words: String,
}

/// The kind of an error of `command`, by what began it.
pub fn kind_in(error: &Error, command: &str) -> Kind {
    let zero = error.chain().any(|cause| {
        let sending = sending(cause).and_then(SendError::failure);
        sending.is_some_and(|failure| failure.is(BallastError::ZeroAmount))
    });
    match command.trim_start() {
        _ if !zero => kind(error),
        // All of nothing.
        "collect" | "compound" | "recenter" | "repay" | "reward reclaim" => Kind::NothingDue,
        // No amount was named.
        _ => Kind::Usage,
    }
}

/// What was sent, or was to be.
fn sending<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a SendError> {
    if let Some(Explained { error, .. }) = cause.downcast_ref() {
        return Some(error);
    }
    match cause.downcast_ref() {
        Some(LookupTableError::Send(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

/// The kind of an error, by what began it.
pub fn kind(error: &Error) -> Kind {
    let found = error.chain().find_map(|cause| {
        if let Some(error) = sending(cause) {
            return of_sending(error);
        }
        match cause.downcast_ref() {
            Some(NotAgreed::NoTerminal) => return Some(Kind::Usage),
            Some(NotAgreed::Declined) => return Some(Kind::Other),
            None => {}
        }
        let senseless = cause.is::<Misuse>()
            || cause.is::<NumberError>()
            || cause.is::<OpenError>()
            || cause.is::<TargetError>()
            || matches!(cause.downcast_ref(), Some(GrowthError::Target(_)));
        if senseless {
            return Some(Kind::Usage);
        }
        if let Some(told) = cause.downcast_ref::<Told>() {
            return Some(told.kind);
        }
        if cause.is::<Unfunded>() {
            return Some(Kind::Other);
        }
        if cause.is::<NothingDue>() {
            return Some(Kind::NothingDue);
        }
        let unanswered = cause.is::<ChainError>()
            || matches!(cause.downcast_ref(), Some(MarketError::Chain(_)))
            || matches!(cause.downcast_ref(), Some(LoadError::Chain(_)))
            || matches!(cause.downcast_ref(), Some(LookupTableError::Chain(_)))
            || matches!(
                cause.downcast_ref(),
                Some(KeeperError::Chain(_) | KeeperError::Genesis(_))
            );
        if unanswered {
            return Some(Kind::Cluster);
        }
        // Found out by the program's own functions.
        if let Some(GrowthError::Capped { .. } | GrowthError::Refused(_)) = cause.downcast_ref() {
            return Some(Kind::Refused);
        }
        None
    });
    found.unwrap_or(Kind::Other)
}

fn of_sending(error: &SendError) -> Option<Kind> {
    match error {
        SendError::Build(_) => None,
        SendError::Chain(_) | SendError::Expired(_) | SendError::Dropped { .. } => {
            Some(Kind::Cluster)
        }
        SendError::Refused(failure) | SendError::Failed { failure, .. } => {
            Some(match &failure.cause {
                Cause::Ballast(error) if is_not_due(*error) => Kind::NothingDue,
                Cause::Runtime(error) if cannot_pay(error) => Kind::Other,
                Cause::Runtime(_) if failure.program.is_none() => Kind::Cluster,
                _ => Kind::Refused,
            })
        }
    }
}

/// Whether the payer has too little for the fee.
fn cannot_pay(error: &TransactionError) -> bool {
    use TransactionError as E;
    matches!(
        error,
        E::AccountNotFound
            | E::InsufficientFundsForFee
            | E::InvalidAccountForFee
            | E::InsufficientFundsForRent { account_index: 0 }
    )
}

/// Whether an error says that the payer has too little for the fee.
pub fn is_unfunded(error: &Error) -> bool {
    error.chain().any(|cause| {
        let failure = sending(cause).and_then(SendError::failure);
        matches!(failure.map(|failure| &failure.cause), Some(Cause::Runtime(error)) if cannot_pay(error))
    })
}

/// Whether the program says that there is nothing to do now.
fn is_not_due(error: BallastError) -> bool {
    use BallastError as E;
    matches!(
        error,
        E::RehedgeNotDue
            | E::DeleverageNotDue
            | E::RecenterNotDue
            | E::ExitNotDue
            | E::CompoundNotDue
            | E::NotLiquidatable
            | E::TooSoon
            | E::NothingAnnounced
            | E::NoticeNotOver
            | E::NotSilentLongEnough
            | E::NoLossToShow
            | E::NothingOwed
    )
}

/// One line for a program that reads the output.
pub fn line(kind: Kind, message: &str, help: Option<&str>) -> Value {
    json!({
        "error": message,
        "code": kind.name(),
        "exit_code": kind.exit_code(),
        "help": help.or(kind.help()),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};
    use ballast_client::{Failure, Pubkey};
    use solana_sdk::{
        instruction::InstructionError, signature::Signature, transaction::TransactionError,
    };

    use super::*;

    fn refused(error: TransactionError) -> SendError {
        let programs = [ballast_client::ballast::ID];
        SendError::Refused(Box::new(Failure::new(error, Vec::new(), &programs)))
    }

    fn by_program(error: BallastError) -> SendError {
        let code = InstructionError::Custom(error.into());
        refused(TransactionError::InstructionError(0, code))
    }

    fn unreachable() -> ChainError {
        ChainError::Unreachable {
            endpoint: "node".into(),
            reason: "nothing".into(),
        }
    }

    #[test]
    fn errors_are_of_the_kind_that_began_them() {
        let explained = Explained {
            error: by_program(BallastError::BadPolicy),
            words: "hedge_bps".into(),
        };
        let dropped = SendError::Dropped {
            signature: Signature::default(),
            last_valid_block_height: 1,
            last_error: None,
        };
        for (error, expected) in [
            (anyhow!("a file"), Kind::Other),
            (unreachable().into(), Kind::Cluster),
            (MarketError::Chain(unreachable()).into(), Kind::Cluster),
            (LoadError::Chain(unreachable()).into(), Kind::Cluster),
            (KeeperError::Genesis(unreachable()).into(), Kind::Cluster),
            (LookupTableError::Chain(unreachable()).into(), Kind::Cluster),
            (
                LookupTableError::NotUsable(Pubkey::default()).into(),
                Kind::Other,
            ),
            (dropped.into(), Kind::Cluster),
            (
                refused(TransactionError::BlockhashNotFound).into(),
                Kind::Cluster,
            ),
            (
                refused(TransactionError::AccountNotFound).into(),
                Kind::Other,
            ),
            (misuse!("--until has no end").into(), Kind::Usage),
            (NumberError::NotPositive("0".into()).into(), Kind::Usage),
            (by_program(BallastError::ModeForbids).into(), Kind::Refused),
            (
                LookupTableError::Send(by_program(BallastError::ModeForbids)).into(),
                Kind::Refused,
            ),
            (explained.into(), Kind::Refused),
            (
                by_program(BallastError::RehedgeNotDue).into(),
                Kind::NothingDue,
            ),
            (NothingDue("nothing".into()).into(), Kind::NothingDue),
            (NotAgreed::NoTerminal.into(), Kind::Usage),
            (NotAgreed::Declined.into(), Kind::Other),
        ] {
            assert_eq!(kind(&error), expected, "{error:#}");
            let shown = format!("{error:#}");
            let within: Error = Err::<(), _>(error).context("doing it failed").unwrap_err();
            assert_eq!(kind(&within), expected, "{shown}");
        }
    }

    #[test]
    fn an_amount_of_nothing_is_told_by_the_command() {
        let error = || Error::from(by_program(BallastError::ZeroAmount)).context("would fail");
        for (command, expected) in [
            (" collect", Kind::NothingDue),
            (" reward reclaim", Kind::NothingDue),
            (" repay", Kind::NothingDue),
            (" reward fund", Kind::Usage),
        ] {
            assert_eq!(kind_in(&error(), command), expected, "{command}");
        }
        let other = by_program(BallastError::ModeForbids).into();
        assert_eq!(kind_in(&other, " collect"), Kind::Refused);
    }

    #[test]
    fn who_cannot_pay_is_told_from_other_trouble() {
        for (error, expected) in [
            (refused(TransactionError::AccountNotFound).into(), true),
            (
                LookupTableError::Send(refused(TransactionError::InsufficientFundsForFee)).into(),
                true,
            ),
            (refused(TransactionError::BlockhashNotFound).into(), false),
            (by_program(BallastError::BadPolicy).into(), false),
            (anyhow!("a file"), false),
        ] {
            let error: Error = error;
            assert_eq!(is_unfunded(&error), expected, "{error:#}");
            assert_eq!(is_unfunded(&error.context("doing it failed")), expected);
        }
    }

    #[test]
    fn kinds_have_codes_of_their_own() {
        let kinds = [
            Kind::Other,
            Kind::Usage,
            Kind::Cluster,
            Kind::Refused,
            Kind::NothingDue,
        ];
        for (code, kind) in (1..).zip(kinds) {
            assert_eq!(kind.exit_code(), code);
            let line = line(kind, "text", None);
            assert_eq!(line["exit_code"], code);
            assert_eq!(line["code"], kind.name());
            assert_eq!(line["help"].is_null(), kind == Kind::Other);
        }
    }
}
