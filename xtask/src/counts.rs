//! Counting tests from what the harnesses print: libtest's `test result:` and nextest's `Summary`.

use std::fmt;
use std::ops::AddAssign;

/// Tests by fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Counts {
    /// The sum over every result line.
    pub(crate) fn in_lines(lines: &[String]) -> Self {
        let mut sum = Self::default();
        for line in lines {
            sum += Self::in_line(line);
        }
        sum
    }

    fn in_line(line: &str) -> Self {
        let line = line.trim_start();
        let text = match (line.strip_prefix("test result:"), line.strip_prefix("Summary [")) {
            (Some(rest), _) => rest,
            (_, Some(rest)) => rest.split_once("run:").map_or("", |(_, after)| after),
            _ => return Self::default(),
        };
        let mut counts = Self::default();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let &[number, word] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => counts.passed += number,
                "failed" | "timed" | "exec" => counts.failed += number,
                "ignored" | "skipped" => counts.skipped += number,
                _ => {}
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_harnesses_are_counted_and_nothing_else() {
        let lines = [
            "running 3 tests",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.20s",
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "     Summary [   0.052s] 10 tests run: 6 passed (1 slow, 1 flaky), 3 failed, 1 timed out, 2 skipped",
            "a log line that says 5 failed",
        ]
        .map(str::to_owned);
        assert_eq!(Counts::in_lines(&lines), Counts { passed: 11, failed: 5, skipped: 3 });
    }
}
