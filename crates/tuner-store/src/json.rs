//! Values as the text that the database holds.
//!
//! *Invariant*: what is written is read again as the same. JSON has no NaN and no infinity: serde writes them as
//! `null`, and a row written so could not be loaded, or would mean something else. Such a value is refused here, where
//! its writer still runs.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// The text of a value that is sure to be read back as it is.
pub(crate) fn encode<T: Serialize + DeserializeOwned + PartialEq>(what: &str, value: &T) -> Result<String, StoreError> {
    let text = plain(what, value)?;
    match serde_json::from_str::<T>(&text) {
        Ok(back) if back == *value => Ok(text),
        Ok(_) => Err(StoreError::Unstorable { what: what.to_owned(), source: None }),
        Err(e) => Err(StoreError::Unstorable { what: what.to_owned(), source: Some(e) }),
    }
}

/// The text of a value whose parts have been through [`encode`].
pub(crate) fn plain<T: Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Unstorable { what: what.to_owned(), source: Some(e) })
}

/// The same for what may be absent.
pub(crate) fn encode_option<T: Serialize + DeserializeOwned + PartialEq>(
    what: &str,
    value: Option<&T>,
) -> Result<Option<String>, StoreError> {
    value.map(|value| encode(what, value)).transpose()
}

/// A value from its text; `what` names it if it is damaged.
pub(crate) fn decode<T: DeserializeOwned>(what: impl Fn() -> String, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Corrupt { what: what(), source: Box::new(source) })
}

/// The same for what may be absent.
pub(crate) fn decode_option<T: DeserializeOwned>(
    what: impl Fn() -> String,
    text: Option<&str>,
) -> Result<Option<T>, StoreError> {
    text.map(|text| decode(what, text)).transpose()
}

/// A whole number that the code holds in another type than the database.
pub(crate) fn number<T: TryFrom<i64>>(what: &str, value: i64) -> Result<T, StoreError>
where
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(value)
        .map_err(|source| StoreError::Corrupt { what: format!("{what} {value}"), source: Box::new(source) })
}

/// A number for the database; those that do not fit are no real pids, ticks or ports.
pub(crate) fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_json_cannot_carry_is_refused_before_it_is_written() {
        assert!(matches!(encode("x", &f64::NAN), Err(StoreError::Unstorable { .. })));
        assert!(matches!(encode("x", &vec![1.0, f64::INFINITY]), Err(StoreError::Unstorable { .. })));
        assert!(matches!(encode("x", &tuner_core::Value::Float(f64::NAN)), Err(StoreError::Unstorable { .. })));
        assert_eq!(encode("x", &0.1).unwrap(), "0.1");
    }

    #[test]
    fn floats_survive_to_the_last_bit() {
        for seed in 0..5_000_u64 {
            let x = f64::from_bits(0x3ff0_0000_0000_0000 + seed.wrapping_mul(0x0009_e377_9b97_f4a7) % (1 << 52));
            let back: f64 = decode(String::new, &encode("x", &x).unwrap()).unwrap();
            assert_eq!(back.to_bits(), x.to_bits());
        }
    }
}
