//! What becomes of transactions.

use ballast_client::{BallastError, Instruction, Pubkey, Receipt, SendError};

/// Error numbers of other programs.
pub mod code {
    /// The system program's, for an account that exists.
    pub const ALREADY_IN_USE: u32 = 0;
    /// The token programs'.
    pub const INSUFFICIENT_FUNDS: u32 = 1;
    /// The token programs'.
    pub const OWNER_MISMATCH: u32 = 4;
    /// The token programs', for closing an account that holds something.
    pub const HAS_BALANCE: u32 = 11;
    /// The token programs', for an account that is frozen.
    pub const ACCOUNT_FROZEN: u32 = 17;
    /// Anchor's, for another program's account, or one that is not there.
    pub const OTHER_PROGRAM: u32 = 3_007;
    /// The pool program's.
    pub const INVALID_TICK_INDEX: u32 = 6_010;
}

/// What became of a transaction.
pub type Sent = Result<Receipt, SendError>;

/// The transaction failed with exactly this error of the program.
#[track_caller]
pub fn refused(sent: Sent, expected: BallastError) {
    match sent {
        Ok(_) => panic!("accepted, expected {}", expected.name()),
        Err(error) => assert!(
            error.is(expected),
            "expected {}, got {error}\n{:#?}",
            expected.name(),
            error.failure().map(|failure| &failure.logs)
        ),
    }
}

/// The transaction failed in a program other than Ballast's, or in Anchor's own checks, with this error number.
#[track_caller]
pub fn refused_elsewhere(sent: Sent, program: Pubkey, code: u32) {
    let error = sent.expect_err("accepted");
    let failure = error.failure().expect("the chain refused it");
    assert_eq!(
        (failure.program, failure.code()),
        (Some(program), Some(code)),
        "{error}"
    );
}

/// The transaction succeeded.
#[track_caller]
pub fn accepted(sent: Sent) -> Receipt {
    match sent {
        Ok(receipt) => receipt,
        Err(error) => panic!(
            "{error}\n{:#?}",
            error.failure().map(|failure| &failure.logs)
        ),
    }
}

/// The instruction with one address in place of another.
pub fn substitute(mut instruction: Instruction, from: Pubkey, to: Pubkey) -> Instruction {
    let mut found = false;
    for meta in &mut instruction.accounts {
        if meta.pubkey == from {
            (meta.pubkey, found) = (to, true);
        }
    }
    assert!(found, "{from} is not among the accounts");
    instruction
}
