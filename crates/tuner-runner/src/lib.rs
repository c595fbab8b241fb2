//! The worker: claims, executes steps, recovers, reaps.
