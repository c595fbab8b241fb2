//! `autotuner token …`

use std::time::Duration;

use chrono::{DateTime, Utc};
use tuner_app::{tokens, tune};
use tuner_policy::Role;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

/// What can be done with tokens.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Tokens {
    /// Make a token and print it. It is shown this once; what is kept of it is a hash.
    Create {
        /// What its bearer may do: viewer looks, operator also changes tasks, admin also reads who did what.
        #[arg(long, value_name = "viewer|operator|admin")]
        role: Role,
        /// What to call it, for lists and the audit log.
        #[arg(long, default_value = "unnamed")]
        name: String,
        /// When it stops working: 12h, 30d, 26w.
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires: Option<Duration>,
    },
    /// List the tokens without their secrets.
    List,
    /// Take a token back. It stops working at once.
    Revoke {
        /// Its id, or its name.
        token: String,
    },
}

pub(crate) async fn run(command: Tokens, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    match command {
        Tokens::Create { role, name, expires } => {
            let made = tokens::create(&store, role, &name, expires.map(|after| Utc::now() + after)).await?;
            if settings.json {
                let mut shown = serde_json::to_value(&made.row)?;
                shown["token"] = made.secret.into();
                ui::json(&shown)?;
            } else {
                let end = made.row.expires_at.map_or(String::new(), |end| format!(" until {}", moment(end)));
                ui::say(&format!("token {} ({name}) for a {role}{end}; it is not shown again:", made.row.id));
                ui::answer(&made.secret);
            }
        }
        Tokens::List => {
            let tokens = store.tokens().await?;
            if settings.json {
                ui::json(&tokens)?;
            } else if tokens.is_empty() {
                ui::say("no tokens yet; make one with: autotuner token create --role viewer");
            } else {
                let mut table = Table::new(["id", "name", "role", "created", "last used", "state"]);
                let now = Utc::now();
                for token in tokens {
                    let state = match (token.revoked_at, token.expires_at) {
                        (Some(at), _) => format!("revoked {}", moment(at)),
                        (None, Some(end)) if now >= end => format!("expired {}", moment(end)),
                        (None, Some(end)) => format!("works until {}", moment(end)),
                        (None, None) => "works".to_owned(),
                    };
                    let used = token.used_at.map_or_else(|| "never".to_owned(), moment);
                    table.row([token.id, token.name, token.role, moment(token.created_at), used, state]);
                }
                ui::answer(&table.to_string());
            }
        }
        Tokens::Revoke { token } => {
            let revoked = store.revoke_token(&token).await?;
            match revoked.is_empty() {
                true => ui::say(&format!("token {token} was revoked before")),
                false => revoked.iter().for_each(|row| ui::say(&format!("revoked {} ({})", row.id, row.name))),
            }
        }
    }
    Ok(Exit::Success)
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// `12h`, `30d`, `26w`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write a number and h, d or w: 12h, 30d, 26w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 24 * 7,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match u64::from(number) * hours {
        0 => Err(wrong()),
        hours if hours > 24 * 366 * 100 => Err(format!("{text} is more than a hundred years")),
        hours => Ok(Duration::from_secs(hours * 3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(duration("12h"), Ok(Duration::from_secs(12 * 3600)));
        assert_eq!(duration("2w"), Ok(Duration::from_secs(14 * 86_400)));
        for text in ["", "d", "3", "0d", "-1d", "1.5d", "1y", "4294967295w", "1é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
