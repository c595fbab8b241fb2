//! Everything that a store holds as lines of text, the same from every database and for every database.
//!
//! *Invariant*: what is loaded is, row by row, what was dumped; and a load happens entirely or not at all.

mod dump;
mod load;

pub use dump::Dumped;

/// The tables with their entities, in the order in which rows may refer to rows before them.
macro_rules! for_each_table {
    ($do:ident) => {
        $do!(
            crate::entity::tasks,
            crate::entity::experiments,
            crate::entity::attempts,
            crate::entity::measurements,
            crate::entity::deployments,
            crate::entity::held_gpus,
            crate::entity::leases,
            crate::entity::events,
            crate::entity::jobs,
            crate::entity::workers,
            crate::entity::facts,
            crate::access::entity::tokens,
            crate::access::entity::audit,
            crate::access::entity::answers,
            crate::library::entity::archived,
            crate::library::entity::revisions,
            crate::library::entity::proposals,
            crate::library::entity::probes,
            crate::shelf::entity::presets,
            crate::shelf::entity::datasets,
            crate::machines::entity::machines,
            crate::chat::entity::sessions,
            crate::chat::entity::runs,
            crate::chat::entity::messages,
            crate::chat::entity::calls,
            crate::chat::entity::grants,
            crate::chat::entity::subscriptions,
        )
    };
}
pub(crate) use for_each_table;
