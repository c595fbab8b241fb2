//! Counting tests from what the harnesses print: libtest's `test result:`, nextest's `Summary`, vitest's `Tests`.

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
    /// The sum over every result line. Where nextest sums up, libtest's lines are parts of failed tests' output.
    pub(crate) fn in_lines(lines: &[String]) -> Self {
        let summaries = lines.iter().filter_map(|line| {
            let (_, after) = line.trim_start().strip_prefix("Summary [")?.split_once("run:")?;
            Some(after)
        });
        let summaries: Vec<&str> = summaries.collect();
        let results = lines.iter().filter_map(|line| line.strip_prefix("test result:"));
        let mut sum = Self::default();
        for line in lines {
            if let Some(text) = plain(line).trim_start().strip_prefix("Tests  ") {
                sum += Self::in_text(&text.replace("|", ""));
            }
        }
        for text in if summaries.is_empty() { results.collect() } else { summaries } {
            sum += Self::in_text(text);
        }
        sum
    }

    fn in_text(text: &str) -> Self {
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

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> Counts {
        Counts::in_lines(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_result_lines_of_libtest_are_summed_and_nothing_else() {
        let counts = counted(&[
            "running 3 tests",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.20s",
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "a log line that says 5 failed",
        ]);
        assert_eq!(counts, Counts { passed: 5, failed: 1, skipped: 1 });
    }

    #[test]
    fn the_sums_of_vitest_count_with_and_without_colours() {
        let counts = counted(&[
            " Test Files  1 failed | 4 passed (5)",
            "      Tests  2 failed | 144 passed | 3 skipped (149)",
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m7 passed\u{1b}[39m\u{1b}[22m (7)",
        ]);
        assert_eq!(counts, Counts { passed: 151, failed: 2, skipped: 3 });
    }

    #[test]
    fn where_nextest_sums_up_its_summary_alone_counts() {
        let counts = counted(&[
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 51 filtered out; finished in 0.28s",
            "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 51 filtered out; finished in 0.28s",
            "     Summary [   0.052s] 10 tests run: 6 passed (1 slow, 1 flaky), 3 failed, 1 timed out, 2 skipped",
        ]);
        assert_eq!(counts, Counts { passed: 6, failed: 4, skipped: 2 });
    }
}
