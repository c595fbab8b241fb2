//! Workers on other machines, for doors.

use tuner_policy::Action;
use tuner_store::WorkerRow;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;
use crate::machines::{self, Deployed, Deploying, Foreseen, MachineState, Say, Setup};

impl Service {
    fn deploying<'a>(&'a self, say: Say<'a>) -> Deploying<'a> {
        Deploying { store: self.store(), home: self.home(), around: self.around(), say }
    }

    /// Deploys a worker to a machine, unless one of that name lives.
    ///
    /// # Errors
    /// Those of [`machines::deploy`].
    pub async fn deploy_worker(
        &self,
        permit: &Permit,
        name: &str,
        setup: Setup,
        say: Say<'_>,
    ) -> Result<Deployed, AppError> {
        permit.must_be_for(Action::WorkerDeploy)?;
        machines::deploy(self.deploying(say), permit.makes(), name, setup).await
    }

    /// Brings the worker of a machine back; with `force` from a fresh copy of the program, also if it lives.
    ///
    /// # Errors
    /// Those of [`machines::restore`].
    pub async fn restore_worker(
        &self,
        permit: &Permit,
        name: &str,
        force: bool,
        say: Say<'_>,
    ) -> Result<Deployed, AppError> {
        permit.must_be_for(Action::WorkerDeploy)?;
        machines::restore(self.deploying(say), name, force).await
    }

    /// What [`Service::deploy_worker`] would do.
    ///
    /// # Errors
    /// Those of [`machines::foresee`].
    pub async fn foresee_deployment(&self, permit: &Permit, name: &str, setup: &Setup) -> Result<Foreseen, AppError> {
        permit.must_be_for(Action::WorkerRead)?;
        machines::foresee(self.store(), self.home(), name, setup).await
    }

    /// What [`Service::restore_worker`] would do.
    ///
    /// # Errors
    /// Those of [`machines::foresee_restore`].
    pub async fn foresee_restoration(&self, permit: &Permit, name: &str, force: bool) -> Result<Foreseen, AppError> {
        permit.must_be_for(Action::WorkerRead)?;
        machines::foresee_restore(self.store(), self.home(), name, force).await
    }

    /// Gives a worker another name.
    ///
    /// # Errors
    /// Those of [`machines::rename`].
    pub async fn rename_worker(&self, permit: &Permit, wanted: &str, name: &str) -> Result<MachineState, AppError> {
        permit.must_be_for(Action::WorkerName)?;
        machines::rename(self.store(), permit.makes(), wanted, name).await
    }

    /// Every machine that has a name, with its worker.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_machines(&self, permit: &Permit) -> Result<Vec<MachineState>, AppError> {
        permit.must_be_for(Action::WorkerRead)?;
        machines::list(self.store()).await
    }

    /// Forgets a machine. A worker that lives there goes on, without a name.
    ///
    /// # Errors
    /// [`AppError::Absent`].
    pub async fn forget_machine(&self, permit: &Permit, name: &str) -> Result<(), AppError> {
        permit.must_be_for(Action::WorkerName)?;
        machines::forget(self.store(), name).await
    }

    /// The worker of a name, or whose id begins so.
    ///
    /// # Errors
    /// [`AppError::Absent`], [`AppError::Invalid`].
    pub async fn find_worker(&self, permit: &Permit, wanted: &str) -> Result<WorkerRow, AppError> {
        permit.must_be_for(Action::WorkerRead)?;
        machines::find(self.store(), wanted).await
    }
}
