//! What tests share: temporary homes, simulated worlds, closed-form servers.

pub mod closed_form;
