//! How many threads send and read.

use crate::plan::LevelPlan;

/// Threads at most where nobody asks for more; each carries thousands of streams.
const USUAL: usize = 4;
/// Streams below which a further thread only costs.
const STREAMS_PER_THREAD: u32 = 64;

/// Threads of a level: as many as the plan asks for, else a quarter of the machine's cores, which an engine on it needs
/// too. A stream belongs to one thread.
pub(super) fn of(plan: &LevelPlan) -> u32 {
    let usual = (cores() / 4).clamp(1, USUAL) as u32;
    match (plan.streams(), plan.client_threads) {
        (Some(streams), Some(asked)) => asked.clamp(1, streams.max(1)),
        (Some(streams), None) => streams.div_ceil(STREAMS_PER_THREAD).clamp(1, usual),
        (None, asked) => asked.unwrap_or(usual).max(1),
    }
}

/// Threads that this machine can spare: half of its cores.
pub(super) fn most() -> u32 {
    (cores() / 2).max(1) as u32
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
