//! What tests share: temporary homes, simulated worlds, closed-form servers, a PostgreSQL server.

pub mod closed_form;
pub mod postgres;
