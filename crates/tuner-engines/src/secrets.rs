//! What is secret, by its name or by its place (R14.7).
//!
//! *Invariant*: a value is secret by the name it was given under; a password in a URL is secret wherever the URL is.

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Whether a flag (`--hf-token`) or variable (`HF_TOKEN`) of that name holds a secret.
///
/// Plurals (`--max-num-batched-tokens`) and the tokens of a vocabulary (`--eos-token`) hold none.
pub fn is_secret_name(name: &str) -> bool {
    let lower = name.trim_start_matches('-').to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['-', '_', '.']).collect();
    let plain = |word: &&str| {
        ["password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "authorization"]
            .contains(word)
    };
    if words.iter().any(plain) {
        return true;
    }
    let (last, before) = match words[..] {
        [] => return false,
        [last] => (last, ""),
        [.., before, last] => (last, before),
    };
    match last {
        "key" => ["", "api", "access", "private", "auth", "account", "admin"].contains(&before),
        "token" => {
            !["bos", "eos", "pad", "unk", "mask", "image", "video", "audio", "stop", "think", "per"].contains(&before)
        }
        _ => last.ends_with("apikey"),
    }
}

/// `http://user:word@host` becomes `http://***@host`.
pub fn without_url_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(|c: char| c == '/' || c.is_whitespace() || c == '"').unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(MASK);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_known_by_name_and_token_counts_are_not_secrets() {
        for secret in [
            "--api-key",
            "api-key",
            "HF_TOKEN",
            "--hf-token",
            "HUGGING_FACE_HUB_TOKEN",
            "OPENAI_API_KEY",
            "OPENAI_APIKEY",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD",
            "token",
            "KEY",
        ] {
            assert!(is_secret_name(secret), "{secret}");
        }
        for plain in [
            "--max-num-batched-tokens",
            "max-prefill-tokens",
            "--tokenizer",
            "--eos-token",
            "--ssl-keyfile",
            "--per-token",
            "VLLM_CPU_KVCACHE_SPACE",
            "MONKEY",
            "",
            "-",
        ] {
            assert!(!is_secret_name(plain), "{plain}");
        }
    }

    #[test]
    fn a_url_keeps_everything_but_its_password() {
        assert_eq!(without_url_passwords("http://u:p@proxy:1/x"), "http://***@proxy:1/x");
        assert_eq!(without_url_passwords("http://proxy:1"), "http://proxy:1");
    }

    proptest! {
        #[test]
        fn text_without_urls_is_left_alone(text in "[^:]{0,60}") {
            prop_assert_eq!(without_url_passwords(&text), text);
        }
    }
}
