//! What tests share: temporary homes, simulated worlds, closed-form servers.
