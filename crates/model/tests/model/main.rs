//! The model against exact arithmetic, its golden vectors, and what must hold of any position. One binary: it is linked once.

mod bisection;
mod boundaries;
mod common;
mod deleverage;
mod extremes;
mod fixed_vectors;
mod hedged;
mod lending;
mod lending_attacks;
mod lending_full;
mod lending_interest;
mod lending_loss;
mod liquidation;
mod liquidation_parts;
mod open;
mod position;
mod rehedge;
mod settlement;
mod twin;
mod vectors;
