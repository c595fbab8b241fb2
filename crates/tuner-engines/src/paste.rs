//! The command line that a person can paste into a shell.

use crate::launch::LaunchSpec;
use crate::secrets::{is_secret_name, without_url_passwords};

impl LaunchSpec {
    /// One shell line: variables in front, quoted where needed, secrets replaced.
    pub fn paste_command(&self) -> String {
        self.words().concat().join(" ")
    }

    /// The same with one flag per line, continued by backslashes.
    pub fn paste_command_multiline(&self) -> String {
        let lines: Vec<String> = self.words().into_iter().map(|line| line.join(" ")).collect();
        lines.join(" \\\n  ")
    }

    /// First the variables, program and positional words, then each flag with its values.
    fn words(&self) -> Vec<Vec<String>> {
        let mut first: Vec<String> = Vec::new();
        for (name, value) in self.env.iter().filter(|(name, _)| !self.unprinted.contains(*name)) {
            // The person's own shell holds the secret under the same name.
            let shown =
                if is_secret_name(name) { format!("\"${name}\"") } else { quote(&without_url_passwords(value)) };
            first.push(format!("{name}={shown}"));
        }
        first.push(quote(&self.program));
        let mut lines = vec![first];
        let mut secret = false;
        let mut flags_began = false;
        for arg in &self.args {
            let is_flag = arg.starts_with('-') && arg.parse::<f64>().is_err();
            // `-m` of `python -m module` belongs to the program.
            let opens = is_flag && (flags_began || arg.starts_with("--"));
            flags_began |= opens;
            let shown = match arg.split_once('=') {
                Some((name, _)) if is_flag && is_secret_name(name) => format!("{name}=REDACTED"),
                _ if secret && !is_flag => "REDACTED".to_owned(),
                _ => quote(arg),
            };
            secret = is_flag && is_secret_name(arg) || (secret && !is_flag);
            match lines.last_mut() {
                Some(line) if !opens => line.push(shown),
                _ => lines.push(vec![shown]),
            }
        }
        lines
    }
}

/// Quotes a word for a POSIX shell if it needs it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(env: &[(&str, &str)], args: &[&str]) -> LaunchSpec {
        LaunchSpec {
            program: "vllm".to_owned(),
            args: args.iter().map(|a| (*a).to_owned()).collect(),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            unprinted: ["no_proxy".to_owned()].into(),
            health_path: "/health".to_owned(),
            base_path: "/v1".to_owned(),
            served_model: None,
            warnings: Vec::new(),
        }
    }

    // R14.7
    #[test]
    fn a_pasted_command_shows_no_secret() {
        let spec = spec(
            &[("HF_TOKEN", "hf_x"), ("no_proxy", "localhost"), ("A", "b c")],
            &["serve", "m", "--api-key", "k1", "k2", "--x", "{\"a\": 1}", "--hf-token=abc", "--n", "-1"],
        );
        insta::assert_snapshot!(spec.paste_command(), @r#"A='b c' HF_TOKEN="$HF_TOKEN" vllm serve m --api-key REDACTED REDACTED --x '{"a": 1}' --hf-token=REDACTED --n -1"#);
        insta::assert_snapshot!(spec.paste_command_multiline(), @r#"
        A='b c' HF_TOKEN="$HF_TOKEN" vllm serve m \
          --api-key REDACTED REDACTED \
          --x '{"a": 1}' \
          --hf-token=REDACTED \
          --n -1
        "#);
    }

    #[test]
    fn quoting_survives_every_character() {
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("/a/b-c_d.gguf"), "/a/b-c_d.gguf");
        assert_eq!(quote("$HOME"), "'$HOME'");
    }
}
