//! What tests share: temporary homes, simulated worlds, closed-form servers, a PostgreSQL server, an ssh server, seeded chance, the
//! process table, a lock on a SQLite file, a chat model that says what a script tells it.

pub mod closed_form;
pub mod dice;
pub mod github;
pub mod hugging_face;
pub mod loopback;
pub mod model;
pub mod postgres;
pub mod procs;
pub mod sshd;
pub mod writer_lock;

pub use model::yaml;
