//! Latencies that follow load or time by a formula, for tests that must find what was planted.

/// A factor on the timetable's times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plant {
    /// 1.
    None,
    /// `max(1, in flight / knee)`: throughput grows with concurrency up to the knee and is level beyond it.
    Saturation {
        /// Requests in flight at which the server is full.
        knee: u32,
    },
    /// `1 + excess · exp(−t / tau)`: a plateau is reached.
    Plateau {
        /// Share by which answers are slower at first.
        excess: f64,
        /// Seconds after which 63 % of the excess is gone.
        tau_s: f64,
    },
    /// From `from` to 1 in a straight line, level afterwards.
    Ramp {
        /// Factor at the first request.
        from: f64,
        /// Seconds until it is 1.
        over_s: f64,
    },
    /// `1 + per_s · t`: it never becomes level.
    Drift {
        /// Growth per second.
        per_s: f64,
    },
}

impl Plant {
    /// The factor with `in_flight` requests in flight (this one included), `elapsed_s` seconds after the first request.
    pub fn factor(self, in_flight: u64, elapsed_s: f64) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Saturation { knee } => (in_flight as f64 / f64::from(knee.max(1))).max(1.0),
            Self::Plateau { excess, tau_s } => 1.0 + excess * (-elapsed_s / tau_s).exp(),
            Self::Ramp { from, over_s } => 1.0 + (from - 1.0) * (1.0 - elapsed_s / over_s).max(0.0),
            Self::Drift { per_s } => 1.0 + per_s * elapsed_s,
        }
    }

    /// Output tokens per second of a saturated server with `streams` closed-loop streams, each answer of `tokens`
    /// tokens: what [`Plant::Saturation`] comes to.
    pub fn throughput(self, streams: u32, tokens: u32, first_s: f64, gap_s: f64) -> f64 {
        let answer_s = (first_s + gap_s * f64::from(tokens.saturating_sub(1))) * self.factor(u64::from(streams), 0.0);
        f64::from(streams) * f64::from(tokens) / answer_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_formula_has_its_limits() {
        let saturation = Plant::Saturation { knee: 8 };
        assert_eq!([1, 8, 16].map(|n| saturation.factor(n, 0.0)), [1.0, 1.0, 2.0]);
        let rate = |n| saturation.throughput(n, 10, 0.1, 0.01);
        assert!((rate(8) - 8.0 * rate(1)).abs() < 1e-9 && (rate(32) - rate(8)).abs() < 1e-9);
        let plateau = Plant::Plateau { excess: 1.0, tau_s: 2.0 };
        assert!((plateau.factor(1, 0.0) - 2.0).abs() < 1e-12 && (plateau.factor(1, 100.0) - 1.0).abs() < 1e-12);
        let ramp = Plant::Ramp { from: 3.0, over_s: 4.0 };
        assert_eq!([0.0, 2.0, 4.0, 9.0].map(|t| ramp.factor(1, t)), [3.0, 2.0, 1.0, 1.0]);
        assert_eq!(Plant::Drift { per_s: 0.5 }.factor(1, 4.0), 3.0);
    }
}
