//! How long to wait before the next try: what the server asked for, else doubling with a spread.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Waiting that doubles with every try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Before the second try.
    pub first: Duration,
    /// Never longer than this.
    pub longest: Duration,
}

impl Backoff {
    /// The time after the `tries`-th try (from 1) failed. `chance` in [0, 1) spreads it over its upper half, so that
    /// many clients do not come back at the same moment.
    pub fn after(self, tries: u32, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(self.longest);
        doubled.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}

/// The value of a `Retry-After` header: seconds (also with a fraction), or a date. A date that has passed is zero.
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.with_timezone(&Utc) - now).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_its_limit_and_is_spread() {
        let wait = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(3) };
        let longest = [1, 2, 3, 4, 40].map(|tries| wait.after(tries, 1.0).as_millis());
        assert_eq!(longest, [500, 1000, 2000, 3000, 3000]);
        assert_eq!(wait.after(2, 0.0), Duration::from_millis(500));
    }

    #[test]
    fn a_server_asks_in_seconds_or_by_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-27T10:00:00Z").unwrap().with_timezone(&Utc);
        let read = |value| retry_after(value, now).map(|wait| wait.as_millis());
        assert_eq!(read("7"), Some(7000));
        assert_eq!(read(" 0.25 "), Some(250));
        assert_eq!(read("Fri, 27 Nov 2026 10:00:30 GMT"), Some(30_000));
        assert_eq!(read("Fri, 27 Nov 2026 09:00:30 GMT"), Some(0));
        assert_eq!(read("-1"), None);
        assert_eq!(read("soon"), None);
    }
}
