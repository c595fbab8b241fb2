//! What tasks are made from: presets and data sets, each by its name.
//!
//! *Invariant*: a name stands for one thing of its kind, and every change of it is told by an event. What is made twice under
//! one id, because nobody knows how it went the first time, is made once.

mod datasets;
pub(crate) mod entity;
mod event;
mod presets;

pub use datasets::{DatasetRow, NewDataset};
pub use event::{ShelfChange, ShelfKind};
pub use presets::PresetRow;
