//! Statistics as NumPy computes them by default, and dates.

use chrono::{DateTime, Utc};

use crate::stats;

/// A sample in ascending order.
pub(super) struct Sample(Vec<f64>);

impl Sample {
    pub(super) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// 0 for an empty sample, as `np.mean(values or 0)`.
    pub(super) fn mean(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.sum() / self.len() as f64 }
    }

    /// Of the population (`ddof=0`).
    pub(super) fn std(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|x| (x - mean).powi(2)).sum();
        if self.is_empty() { 0.0 } else { (squares / self.len() as f64).sqrt() }
    }

    /// By linear interpolation; 0 for an empty sample.
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        if self.is_empty() { 0.0 } else { stats::percentile(&self.0, percent / 100.0) }
    }

    pub(super) fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    pub(super) fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or(0.0)
    }
}

/// A moment in UTC.
pub(super) fn moment(unix_s: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros((unix_s * 1e6) as i64).unwrap_or_default()
}
