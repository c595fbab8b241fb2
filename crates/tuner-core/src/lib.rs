//! Words, units, task file, search space, scoring, outcomes and the planner: the pure heart of the tuner.
