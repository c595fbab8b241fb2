//! Secrets out of command lines, environments and log lines before anyone stores or shows them (R14.7).
//!
//! *Invariant*: a value that is secret by its name ([`is_secret_name`]) is removed wherever it appears.

use std::collections::BTreeSet;

use tuner_engines::quote;
use tuner_engines::secrets::{MASK, is_secret_name, without_url_passwords};

use crate::Launch;

/// Shorter values are too likely to appear by chance in log lines.
const SHORTEST: usize = 6;

/// The secret values of one launch.
#[derive(Clone, Default)]
pub struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Collects what secret names hold in arguments and environment.
    pub fn of(launch: &Launch) -> Self {
        let mut found = Self::default();
        for (name, value) in &launch.env {
            if is_secret_name(name) {
                found.add(value);
            }
        }
        let mut args = launch.args.iter().peekable();
        while let Some(arg) = args.next() {
            match arg.split_once('=') {
                Some((name, value)) if is_secret_name(name) => found.add(value),
                None if arg.starts_with('-') && is_secret_name(arg) => {
                    if let Some(value) = args.peek() {
                        found.add(value);
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// One more secret value; short ones are ignored.
    pub fn add(&mut self, value: &str) {
        if value.len() >= SHORTEST {
            self.0.insert(value.to_owned());
        }
    }

    /// The text without them, and without passwords inside URLs.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // Longest first: one secret may be part of another.
        let mut values: Vec<&String> = self.0.iter().collect();
        values.sort_by_key(|v| std::cmp::Reverse(v.len()));
        for value in values {
            text = text.replace(value.as_str(), MASK);
        }
        without_url_passwords(&text)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The command as a shell would take it, with its variables before it and without its secrets.
pub fn command_line(launch: &Launch) -> String {
    let mut words = Vec::new();
    for (name, value) in &launch.env {
        let shown = if is_secret_name(name) { MASK.to_owned() } else { quote(&without_url_passwords(value)) };
        words.push(format!("{name}={shown}"));
    }
    words.push(quote(&launch.program));
    let mut hide_next = false;
    for arg in &launch.args {
        if std::mem::take(&mut hide_next) && !arg.starts_with("--") {
            words.push(MASK.to_owned());
            continue;
        }
        match arg.split_once('=') {
            Some((name, _)) if is_secret_name(name) => words.push(format!("{name}={MASK}")),
            _ => {
                hide_next = arg.starts_with('-') && is_secret_name(arg);
                words.push(quote(&without_url_passwords(arg)));
            }
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn launch(args: &[&str], env: &[(&str, &str)]) -> Launch {
        Launch {
            program: "vllm".into(),
            args: args.iter().map(|s| (*s).to_owned()).collect(),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Launch::default()
        }
    }

    // R14.7
    #[test]
    fn a_command_is_shown_without_its_secrets() {
        let launch = launch(
            &["serve", "a model", "--api-key", "sk-123456", "--hf-token=hf_abcdef", "--max-num-seqs", "8"],
            &[("HF_TOKEN", "hf_abcdef"), ("HTTP_PROXY", "http://me:pw@proxy:3128"), ("OMP_NUM_THREADS", "1")],
        );
        insta::assert_snapshot!(command_line(&launch), @"HF_TOKEN=*** HTTP_PROXY='http://***@proxy:3128' OMP_NUM_THREADS=1 vllm serve 'a model' --api-key *** --hf-token=*** --max-num-seqs 8");
        let secrets = Secrets::of(&launch);
        assert_eq!(
            secrets.clean("args: api_key='sk-123456' token hf_abcdef via http://me:pw@proxy/x"),
            "args: api_key='***' token *** via http://***@proxy/x"
        );
        assert!(!format!("{secrets:?}").contains("sk-1"));
    }

    proptest! {
        #[test]
        fn no_secret_survives_cleaning(secret in "[a-zA-Z0-9]{6,20}", before in "[^*]{0,20}", after in "[^*]{0,20}") {
            let mut secrets = Secrets::default();
            secrets.add(&secret);
            let cleaned = secrets.clean(&format!("{before}{secret}{after}"));
            prop_assert!(!cleaned.contains(&secret));
        }
    }
}
