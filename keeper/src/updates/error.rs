use ballast_abi::pyth::UpdateError;
use thiserror::Error;

/// Why there is no price from a service.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UpdatesError {
    /// Its address cannot be used.
    #[error(
        "the price service's address {endpoint} is no http or https URL; check prices.hermes_url"
    )]
    Address {
        /// What may be shown of it.
        endpoint: String,
    },
    /// No connection, or no whole answer in time.
    #[error("price service {endpoint} does not answer ({reason})")]
    Unreachable {
        /// Which service.
        endpoint: String,
        /// What the transport said.
        reason: String,
    },
    /// It asks to be left alone for a while.
    #[error("price service {endpoint} is busy; it is asked again in {secs} s")]
    Busy {
        /// Which service.
        endpoint: String,
        /// For how long it is.
        secs: u64,
    },
    /// It answers with an error.
    #[error(
        "price service {endpoint} answers {status}: check prices.hermes_url and the market's feeds"
    )]
    Refused {
        /// Which service.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// More bytes than any answer has.
    #[error("price service {endpoint} answers with more than {most} bytes")]
    TooLong {
        /// Which service.
        endpoint: String,
        /// What is taken.
        most: usize,
    },
    /// Not the JSON that it should be.
    #[error("price service {endpoint} gave an unusable answer: {reason}")]
    BadAnswer {
        /// Which service.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not an update.
    #[error("the price service's answer holds no price update: {0}")]
    Update(#[from] UpdateError),
    /// A price that the guardians have not signed.
    #[error("the price service's answer holds a price that is not under the signed root")]
    NotUnderRoot,
    /// A feed that was asked for is not in the answer.
    #[error("the price service's answer lacks feed {feed}")]
    MissingFeed {
        /// Its id, hexadecimal.
        feed: String,
    },
}
