//! What holding a perpetual will cost in funding: the premium is modelled, and pushed through the venue's formula.
//!
//! 1. [`formula`] is how a premium becomes a rate, learnt from the settlements alone; a settlement that no longer fits is noticed.
//! 2. [`forecast`] is the distribution of rates some hours ahead, by the model's own errors in the past.
//!
//! Pure: settlements in, distributions out. Floats are right here: nothing of it is accounted.

pub mod forecast;
pub mod formula;

/// One funding settlement as the venue reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settlement {
    /// When, in hours since 1970.
    pub hour: u64,
    /// The interval that it is for, in hours.
    pub interval_hours: u32,
    /// What a long paid per unit of notional for the interval.
    pub rate: f64,
    /// The average premium of the perpetual over its index.
    pub premium: f64,
}
