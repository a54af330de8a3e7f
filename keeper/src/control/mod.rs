//! What people tell a running keeper: halt, reduce, pause, resume; by API, command line or file.
//!
//! - [`Overrides`] is the pure core: what stands, folded from the journal's records and nothing else.
//! - The mode in force is the lesser of the configuration's and the overrides' ([`Overrides::mode`]): no override gives more
//!   than the configuration does.
//! - [`Mode::permission`] says what each mode does with each kind of action.
//! - [`Control`] is the handle: it journals a request before it answers, and the same lock orders it with the intents, so that
//!   no intent follows an override in the journal that forbids it.
//! - [`files`] watches for a file `halt` or `reduce` in the journal's directory.
//! - [`preview`] says beforehand what a request would mean.

mod clock;
pub mod files;
mod handle;
mod mode;
mod overrides;
pub mod preview;
mod record;
mod request;

pub use clock::Clock;
pub use handle::{Control, Standing, SystemClock};
pub use mode::{Mode, Permission, REDUCES};
pub use overrides::Overrides;
pub use preview::{Facts, Nearest, Preview, Risk};
pub use record::{Applied, InFlight, Override, OverrideRecord, Scope, Verb};
pub use request::{LONGEST_SECS, Refused, Request, subject};
