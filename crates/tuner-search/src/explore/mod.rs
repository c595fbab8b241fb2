//! Moving about in a search space: drawing points, walking all of it, neighbours, and what was already tried.
//!
//! *Invariant*: everything returned is canonical (`SearchSpace::canonical` returns it unchanged).

mod axis;
mod draw;
mod neighbours;
mod seeded;
mod seen;
mod walk;

pub use axis::Axis;
pub use draw::{draw, value_at};
pub use neighbours::neighbours;
pub use seeded::{Rng, generator};
pub use seen::{Seen, snapped};
pub use walk::{Ended, Order, walk};
