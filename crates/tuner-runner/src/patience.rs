//! A store that is away for a while costs time, not work.
//!
//! *Invariant*: only writes that may be done twice go through here; all of [`tuner_store::Claimed`] may. What was measured
//! meanwhile is handed in when the store is back, or refused because somebody else has the lease.

use std::time::Duration;

use tuner_store::StoreError;

/// Wait before the second try; it doubles up to [`MOST`].
const LEAST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(5);

/// How long somebody has waited already.
#[derive(Debug)]
pub(crate) struct Patience(Duration);

impl Patience {
    pub(crate) fn new() -> Self {
        Self(LEAST)
    }

    /// Waits a little where trying again may help.
    ///
    /// # Errors
    /// The error, where it does not.
    pub(crate) async fn again(&mut self, error: StoreError) -> Result<(), StoreError> {
        if !error.is_passing() {
            return Err(error);
        }
        tracing::warn!(error = %error.in_words(), "the store is away; trying again");
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(MOST);
        Ok(())
    }
}

/// Does it again for as long as the store is away.
///
/// # Errors
/// Those of the call that do not pass by themselves.
pub async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut patience = Patience::new();
    loop {
        match call().await {
            Err(error) => patience.again(error).await?,
            Ok(value) => return Ok(value),
        }
    }
}
