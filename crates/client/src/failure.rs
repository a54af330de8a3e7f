//! Failed transactions, named.

use std::fmt;

use ballast::errors::BallastError;
use ballast_abi::{spl, whirlpool};
use solana_sdk::{instruction::InstructionError, pubkey::Pubkey, transaction::TransactionError};

use crate::logs::first_failure;

macro_rules! ballast_errors {
    ($($name:ident,)*) => {
        const BALLAST_ERRORS: &[BallastError] = &[$(BallastError::$name),*];

        /// Fails to compile when the list lacks an error of the program.
        const fn _complete(error: BallastError) {
            match error {
                $(BallastError::$name => (),)*
            }
        }
    };
}
ballast_errors! {
    ZeroAmount, OutOfRange, BadParameters, BadPolicy, SlippageExceeded,
    NotOwner, NotAuthority, WrongReserve, WrongReserveAccount, WrongPositionAccount, WrongPool, MalformedPoolAccount,
    WrongTokenProgram, WrongTokenAccount, UnsupportedMint, WrongVersion,
    PriceWrongOwner, PriceNotFull, PriceWrongFeed, PriceMalformed, PriceStale, PriceFromFuture, PriceReplayed,
    PriceTooWide, PriceDiverged, PoolDiverged,
    ModeForbids, LeverageTooHigh, InitialLtvExceeded, StressLtvExceeded, DeltaOutsideTarget, PositionSize,
    HedgeNotAffordable, DebtRemains,
    KeeperDisabled, RehedgeNotDue, TooSoon, SwapLossTooHigh, RehedgeRaisesLtv, DeleverageNotDue, LtvNotLowered,
    NotLiquidatable,
    InsufficientLiquidity, SupplyCapExceeded, BorrowCapExceeded, RoundsToZero,
    UnexpectedBalance, InvariantBroken,
    RecenterNotDue, RecenterOffCentre, WidthOutOfBounds, NoLiquidity, DailyLossExceeded, ExitNotDue, CompoundNotDue,
    NothingAnnounced, NoticeNotOver, NotOffered, GuardianRests, NotThatMuchBadDebt, RewardTooSmall,
    NoSecondWitness, GainTooSmall, FirstKeepersTurn, AccountTampered, NotSilentLongEnough, NoLossToShow,
    NothingToPayWith, NothingOwed, AdaptiveFee, SettlementFirstDay,
}

/// The error that the program means by a custom error number.
fn ballast_error(code: u32) -> Option<BallastError> {
    BALLAST_ERRORS
        .iter()
        .copied()
        .find(|error| u32::from(*error) == code)
}

/// What made a transaction fail.
#[derive(Clone, Debug)]
pub enum Cause {
    /// An error of the Ballast program.
    Ballast(BallastError),
    /// An error of Anchor's account checks, in Ballast or in another Anchor program.
    Anchor {
        /// Number, 100 to 5999.
        code: u32,
        /// Name and message, if the logs hold them.
        message: Option<String>,
    },
    /// An error number that Whirlpool programs use, from a program that is not known otherwise.
    Whirlpool {
        /// Number.
        code: u32,
        /// Name.
        name: &'static str,
    },
    /// An error of SPL Token or Token-2022.
    Token {
        /// Number.
        code: u32,
        /// Name.
        name: &'static str,
    },
    /// Any other program's error number.
    Custom {
        /// Number.
        code: u32,
    },
    /// The runtime's own error: fees, blockhash, locks, compute budget, ...
    Runtime(TransactionError),
}

/// A failed transaction: what failed, where, and the logs.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The program in which it began; `None` if it is not known, or the transaction failed before any program ran.
    pub program: Option<Pubkey>,
    /// Index of the instruction, counting the compute-budget ones.
    pub instruction: Option<u8>,
    /// Why.
    pub cause: Cause,
    /// Log lines, as far as they are known.
    pub logs: Vec<String>,
}

impl Failure {
    /// Names an error. `programs` are the programs of the instructions in order: without logs, the error is taken for one
    /// of the instruction's own program.
    pub fn new(error: TransactionError, logs: Vec<String>, programs: &[Pubkey]) -> Self {
        let (instruction, code) = match &error {
            TransactionError::InstructionError(index, InstructionError::Custom(code)) => {
                (Some(*index), Some(*code))
            }
            TransactionError::InstructionError(index, _) => (Some(*index), None),
            _ => (None, None),
        };
        let own = instruction
            .and_then(|index| programs.get(usize::from(index)))
            .copied();
        let program = first_failure(&logs).map(|(program, _)| program).or(own);
        let cause = match code {
            Some(code) => cause(code, program, &logs),
            None => Cause::Runtime(error),
        };
        Self {
            program,
            instruction,
            cause,
            logs,
        }
    }

    /// The Ballast error, if it was one.
    pub fn ballast(&self) -> Option<BallastError> {
        match self.cause {
            Cause::Ballast(error) => Some(error),
            _ => None,
        }
    }

    /// Whether it was this error of the Ballast program.
    pub fn is(&self, error: BallastError) -> bool {
        self.ballast()
            .is_some_and(|found| u32::from(found) == u32::from(error))
    }

    /// The custom error number, if a program gave one.
    pub fn code(&self) -> Option<u32> {
        match self.cause {
            Cause::Ballast(error) => Some(error.into()),
            Cause::Anchor { code, .. }
            | Cause::Whirlpool { code, .. }
            | Cause::Token { code, .. }
            | Cause::Custom { code } => Some(code),
            Cause::Runtime(_) => None,
        }
    }
}

/// Numbers below this that an Anchor program returns are Anchor's own.
const FIRST_OWN_CODE: u32 = 6_000;

fn cause(code: u32, program: Option<Pubkey>, logs: &[String]) -> Cause {
    let Some(program) = program else {
        return Cause::Custom { code };
    };
    if program == spl::TOKEN_PROGRAM || program == spl::TOKEN_2022_PROGRAM {
        return token_error(code)
            .map_or(Cause::Custom { code }, |name| Cause::Token { code, name });
    }
    if program == ballast::ID
        && let Some(error) = ballast_error(code)
    {
        return Cause::Ballast(error);
    }
    if (100..FIRST_OWN_CODE).contains(&code) {
        let message = anchor_message(code, logs);
        return Cause::Anchor { code, message };
    }
    match whirlpool::error_code::name(code) {
        Some(name) => Cause::Whirlpool { code, name },
        None => Cause::Custom { code },
    }
}

/// Name and message of an Anchor error, from its log line.
fn anchor_message(code: u32, logs: &[String]) -> Option<String> {
    let number = format!("Error Number: {code}. Error Message: ");
    logs.iter().find_map(|line| {
        let (before, message) = line.split_once(&number)?;
        let name = before.rsplit_once("Error Code: ")?.1.trim_end_matches(". ");
        let account = before
            .split_once("AnchorError caused by account: ")
            .and_then(|(_, rest)| rest.split_once(". "));
        let of = account
            .map(|(account, _)| format!(" (account {account})"))
            .unwrap_or_default();
        Some(format!("{name}{of}: {message}"))
    })
}

/// Names of SPL Token's error numbers.
fn token_error(code: u32) -> Option<&'static str> {
    const NAMES: [&str; 20] = [
        "NotRentExempt",
        "InsufficientFunds",
        "InvalidMint",
        "MintMismatch",
        "OwnerMismatch",
        "FixedSupply",
        "AlreadyInUse",
        "InvalidNumberOfProvidedSigners",
        "InvalidNumberOfRequiredSigners",
        "UninitializedState",
        "NativeNotSupported",
        "NonNativeHasBalance",
        "InvalidInstruction",
        "InvalidState",
        "Overflow",
        "AuthorityTypeNotSupported",
        "MintCannotFreeze",
        "AccountFrozen",
        "MintDecimalsMismatch",
        "NonNativeNotSupported",
    ];
    NAMES.get(usize::try_from(code).ok()?).copied()
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ballast(error) => write!(f, "{}: {error}", error.name()),
            Self::Anchor {
                code,
                message: Some(message),
            } => write!(f, "Anchor error {code} {message}"),
            Self::Anchor {
                code,
                message: None,
            } => write!(f, "Anchor error {code}"),
            Self::Whirlpool { code, name } => write!(f, "Whirlpool error {code} {name}"),
            Self::Token { code, name } => write!(f, "token program error {code} {name}"),
            Self::Custom { code } => write!(f, "program error {code}"),
            Self::Runtime(error) => write!(f, "{error}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        if let Some(index) = self.instruction {
            write!(f, " (instruction {index}")?;
            if let Some(program) = self.program {
                write!(f, ", in program {program}")?;
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(code: u32) -> TransactionError {
        TransactionError::InstructionError(1, InstructionError::Custom(code))
    }

    fn failed_in(program: &Pubkey, code: u32) -> Vec<String> {
        [
            format!("Program {} invoke [1]", ballast::ID),
            format!("Program {program} invoke [2]"),
            format!("Program {program} failed: custom program error: {code:#x}"),
            format!(
                "Program {} failed: custom program error: {code:#x}",
                ballast::ID
            ),
        ]
        .into()
    }

    #[test]
    fn numbers_follow_the_order_of_the_list() {
        for (index, error) in BALLAST_ERRORS.iter().enumerate() {
            assert_eq!(u32::from(*error) as usize, 6_000 + index, "{error:?}");
        }
        assert!(ballast_error(6_000 + BALLAST_ERRORS.len() as u32).is_none());
    }

    #[test]
    fn the_program_that_failed_first_decides_what_a_number_means() {
        let programs = [Pubkey::new_unique(), ballast::ID];
        // Without logs: the instruction's own program.
        let failure = Failure::new(custom(6_000), Vec::new(), &programs);
        assert!(failure.is(BallastError::ZeroAmount) && failure.instruction == Some(1));
        // In a call: the callee.
        let pool = Pubkey::new_unique();
        let failure = Failure::new(custom(6_038), failed_in(&pool, 6_038), &programs);
        assert_eq!(failure.program, Some(pool));
        assert!(matches!(
            failure.cause,
            Cause::Whirlpool { code: 6_038, .. }
        ));
        let failure = Failure::new(custom(1), failed_in(&spl::TOKEN_PROGRAM, 1), &programs);
        assert!(matches!(
            failure.cause,
            Cause::Token {
                name: "InsufficientFunds",
                ..
            }
        ));
        assert_eq!(failure.code(), Some(1));
        let failure = Failure::new(custom(77), failed_in(&pool, 77), &programs);
        assert!(matches!(failure.cause, Cause::Custom { code: 77 }));
    }

    #[test]
    fn anchor_errors_keep_name_and_account() {
        let mut logs = failed_in(&Pubkey::new_unique(), 3_012);
        logs.insert(
            1,
            "Program log: AnchorError caused by account: market. Error Code: AccountNotInitialized. Error Number: 3012. \
             Error Message: The program expected this account to be already initialized."
                .into(),
        );
        let failure = Failure::new(custom(3_012), logs, &[]);
        let text = failure.to_string();
        assert!(
            text.contains("AccountNotInitialized (account market): The program expected"),
            "{text}"
        );
    }

    #[test]
    fn the_runtime_speaks_for_itself() {
        let failure = Failure::new(TransactionError::BlockhashNotFound, Vec::new(), &[]);
        assert!(matches!(
            failure.cause,
            Cause::Runtime(TransactionError::BlockhashNotFound)
        ));
        assert_eq!(
            (failure.code(), failure.instruction, failure.program),
            (None, None, None)
        );
    }
}
