//! One file per engine: parameter catalogue, launch spec, read-back, exit classification, memory estimate.
