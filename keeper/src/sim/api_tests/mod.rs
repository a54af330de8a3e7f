//! The API of a real keeper on the simulated chain, over real sockets: shapes, numbers, who may call, overrides, the stream.

mod answers;
mod callers;
mod kept;
mod overrides;
mod page;
mod running;
mod shapes;
mod stream;
