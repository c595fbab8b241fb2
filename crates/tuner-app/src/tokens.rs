//! Tokens: 256 random bits, shown once, kept as a hash.
//!
//! *Invariant*: the secret leaves [`create`] once and is stored nowhere.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tuner_core::hex;
use tuner_policy::Role;
use tuner_store::{NewToken, Store, TokenRow};

use crate::error::AppError;

/// What every token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "autotuner";
/// A token's use is noted this often at most.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A new token. Its text is shown to a person once.
pub struct Created {
    /// What is kept of it.
    pub row: TokenRow,
    /// What lets its bearer in.
    pub secret: String,
}

/// Makes a token.
///
/// # Errors
/// [`AppError::NoRandomness`], [`AppError::Store`].
pub async fn create(
    store: &Store,
    role: Role,
    name: &str,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Created, AppError> {
    let (id, secret) = (hex(&random::<4>()?), hex(&random::<32>()?));
    let text = format!("{PREFIX}_{id}_{secret}");
    let (name, role) = (name.to_owned(), role.word().to_owned());
    let row = store.create_token(NewToken { id, name, role, hash: hash(&text), expires_at }).await?;
    Ok(Created { row, secret: text })
}

/// The role and the row of a token that works now; `None` for every other text.
///
/// # Errors
/// [`AppError::Store`].
pub async fn check(store: &Store, text: &str) -> Result<Option<(Role, TokenRow)>, AppError> {
    let Some(id) = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')?.split_once('_')) else {
        return Ok(None);
    };
    let Some(row) = store.token(id.0).await? else { return Ok(None) };
    let now = Utc::now();
    if !equal(row.hash.as_bytes(), hash(text).as_bytes()) || !row.works(now) {
        return Ok(None);
    }
    let Ok(role) = row.role.parse() else { return Ok(None) };
    if row.used_at.is_none_or(|used| now - used > NOTED_EVERY) {
        store.token_used(&row.id).await?;
    }
    Ok(Some((role, row)))
}

/// Whether anybody could come in with a token now.
///
/// # Errors
/// [`AppError::Store`].
pub async fn any_works(store: &Store) -> Result<bool, AppError> {
    let now = Utc::now();
    Ok(store.tokens().await?.iter().any(|token| token.works(now)))
}

fn random<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AppError::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Takes as long whatever the texts are.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0, |seen, (a, b)| seen | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_lets_in_until_it_expires_or_is_taken_back_and_its_secret_is_kept_nowhere() {
        let store = Store::in_memory().await.unwrap();
        assert!(!any_works(&store).await.unwrap());
        let made = create(&store, Role::Operator, "laptop", None).await.unwrap();
        let found = check(&store, &made.secret).await.unwrap().unwrap();
        assert_eq!((found.0, found.1.name.as_str()), (Role::Operator, "laptop"));
        assert!(!format!("{:?}", store.tokens().await.unwrap()).contains(&made.secret));
        assert!(store.token(&made.row.id).await.unwrap().unwrap().used_at.is_some());

        let wrong = made.secret.replace(&made.secret[made.secret.len() - 2..], "zz");
        for text in ["", "autotuner_", &wrong, &format!("{}0", made.secret), "Bearer"] {
            assert!(check(&store, text).await.unwrap().is_none(), "{text}");
        }
        let late = create(&store, Role::Admin, "old", Some(Utc::now() - TimeDelta::seconds(1))).await.unwrap();
        assert!(check(&store, &late.secret).await.unwrap().is_none());
        assert_eq!(store.revoke_token("laptop").await.unwrap().len(), 1);
        assert!(check(&store, &made.secret).await.unwrap().is_none());
        assert!(!any_works(&store).await.unwrap());
        assert!(store.revoke_token("nobody").await.is_err());
    }

    #[test]
    fn texts_are_equal_only_if_they_are_equal() {
        assert!(equal(b"abc", b"abc") && equal(b"", b""));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"abcd"));
    }
}
