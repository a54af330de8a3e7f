//! The program in the SVM: what it computes, what it refuses, what it costs.

mod costs;
mod worked_example;
