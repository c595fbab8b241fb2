//! What is shown live and kept nowhere: figures of the level that runs now.

use tuner_bench::Live;

/// The moment's figures.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    /// The experiment that runs, if one does.
    pub experiment: Option<u32>,
    /// Figures of the level under way.
    pub live: Option<Live>,
}
