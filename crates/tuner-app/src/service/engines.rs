//! Engines and their parameters for doors.

use tuner_core::engine::EngineName;
use tuner_engines::{Flag, engine};
use tuner_policy::Action;

use super::Service;
use crate::access::Permit;
use crate::engines::{self, EngineRow};
use crate::error::AppError;

/// Which parameters of an engine.
#[derive(Clone, Debug, Default)]
pub struct ParameterQuery {
    /// With this in the name or the help.
    pub contains: Option<String>,
    /// Only those that are worth tuning.
    pub tunable: bool,
}

impl Service {
    /// Every engine.
    ///
    /// # Errors
    /// A wrong permit.
    pub fn list_engines(&self, permit: &Permit) -> Result<Vec<EngineRow>, AppError> {
        permit.must_be_for(Action::EngineRead)?;
        Ok(engines::list(self.home()))
    }

    /// One engine.
    ///
    /// # Errors
    /// [`AppError::Absent`].
    pub fn show_engine(&self, permit: &Permit, name: &str) -> Result<EngineRow, AppError> {
        let wanted = named(name)?;
        let found = self.list_engines(permit)?.into_iter().find(|row| row.engine == wanted);
        found.ok_or_else(|| AppError::Absent { what: format!("engine {name:?}") })
    }

    /// The parameters of an engine in the order of its own help.
    ///
    /// # Errors
    /// [`AppError::Absent`].
    pub fn parameters(&self, permit: &Permit, name: &str, query: &ParameterQuery) -> Result<Vec<Flag>, AppError> {
        permit.must_be_for(Action::EngineRead)?;
        let catalogue = engine(named(name)?).catalogue();
        let contains = query.contains.as_ref().map(|text| text.to_lowercase());
        let wanted = |flag: &Flag| {
            let has = |text: &str| flag.name.to_lowercase().contains(text) || flag.help.to_lowercase().contains(text);
            (!query.tunable || flag.tunable.is_some()) && contains.as_deref().is_none_or(has)
        };
        Ok(catalogue.flags().iter().filter(|flag| wanted(flag)).cloned().collect())
    }
}

fn named(name: &str) -> Result<EngineName, AppError> {
    let found = EngineName::ALL.into_iter().find(|engine| engine.name() == name);
    found.ok_or_else(|| AppError::Absent { what: format!("engine {name:?}") })
}
