//! The order in which the rows of a data set are used.
//!
//! *Invariant*: each pass over the rows visits every one once, in an order of its own.

use std::sync::Arc;

use rand::RngExt;
use tuner_core::task::Level;

use super::PlanError;
use super::parts::Row;
use crate::seed::{Dimension, Seeds, mix, rng};

/// Row of `n` for request `index`: a keyed permutation (cycle-walking Feistel network) per pass.
pub(super) fn shuffled(seeds: Seeds, level: u32, repeat: u32, index: u64, n: u64) -> u64 {
    let pass = index / n;
    let key = [Dimension::FileOrder as u64, u64::from(level), u64::from(repeat), pass]
        .into_iter()
        .fold(mix(seeds.schedule), |key, word| mix(key ^ mix(word)));
    let half_bits = (64 - (n.max(2) - 1).leading_zeros()).div_ceil(2);
    let mask = (1u64 << half_bits) - 1;
    let mut x = index % n;
    loop {
        let (mut left, mut right) = (x >> half_bits, x & mask);
        for round in 0..4u64 {
            (left, right) = (right, left ^ (mix(key ^ mix(right) ^ round) & mask));
        }
        x = (left << half_bits) | right;
        if x < n {
            return x;
        }
    }
}

/// A trace, once through: when each request arrives and which row it is, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Replay {
    pub(super) at_s: Arc<[f64]>,
    pub(super) rows: Arc<[usize]>,
}

impl Replay {
    /// The rows that a level keeps, at its time scale. Which are kept follows from the seed.
    pub(super) fn new(rows: &[Row], level: &Level, seeds: Seeds) -> Result<Self, PlanError> {
        let scale = level.time_scale.unwrap_or(1.0);
        let keep = level.keep.unwrap_or(1.0);
        let mut rng = rng(seeds.schedule, Dimension::Thinning, 0, 0, 0);
        let mut kept = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let at_s = row.at_s.ok_or(PlanError::NoTimes)?;
            if keep >= 1.0 || rng.random::<f64>() < keep {
                kept.push((at_s * scale, i));
            }
        }
        if kept.is_empty() {
            return Err(PlanError::NoLengths);
        }
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (at_s, rows): (Vec<f64>, Vec<usize>) = kept.into_iter().unzip();
        Ok(Self { at_s: at_s.into(), rows: rows.into() })
    }
}
