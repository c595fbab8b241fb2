//! What survives when the tuner is killed, interrupted, cancelled or started twice.

mod agent;
mod ask;
mod clock;
mod disk;
mod engine;
mod hold;
mod home;
mod http;
mod interrupt;
mod lock;
mod machines;
mod mcp;
mod orders;
mod points;
mod queue;
mod side_by_side;
mod virtual_time;
