//! What survives when the tuner is killed, interrupted, cancelled or started twice.

mod ask;
mod engine;
mod hold;
mod home;
mod interrupt;
mod moments;
mod procs;
mod queue;
mod virtual_time;
