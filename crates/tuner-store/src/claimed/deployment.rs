//! Deployments: written down, with their port, before they are launched.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::Claimed;
use crate::entity::{deployments, held_gpus};
use crate::json::{number, whole};
use crate::row::{DeploymentRow, DeploymentState};
use crate::store::{Scope, Write};
use crate::{Event, StoreError};

/// A deployment that is going to be launched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeployment {
    /// Its id, chosen by the caller, which labels whatever is launched.
    pub id: String,
    /// For which experiment.
    pub experiment: u32,
    /// For which attempt, which must be running.
    pub attempt: u32,
    /// What launches it: `local`, `attached`, ….
    pub kind: String,
    /// Ports to choose from, best first; empty if it needs none.
    pub ports: Vec<u16>,
    /// Its log file.
    pub log_path: Option<String>,
}

/// What is known of a deployment once it was launched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Its process.
    pub pid: Option<u32>,
    /// Its process group.
    pub pgid: Option<u32>,
    /// When its process started, in clock ticks since boot.
    pub start_ticks: Option<u64>,
    /// Where it answers.
    pub address: Option<String>,
}

impl Claimed {
    /// Writes down a deployment and reserves the first of its ports that no live deployment of this host holds. Only
    /// other tuner processes are kept away: whether the port is free of strangers is for the caller to find out.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NoFreePort`]; [`StoreError::WrongState`] if the attempt has ended;
    /// [`StoreError::Conflict`] if the id names another deployment or one that is gone.
    pub async fn reserve_deployment(&self, new: &NewDeployment) -> Result<Option<u16>, StoreError> {
        let write = self.write().await?;
        if let Some(known) = deployments::Entity::find_by_id(new.id.clone()).one(write.rows()).await? {
            let known = DeploymentRow::try_from(known)?;
            let asked = (self.task, new.experiment, new.attempt, &new.kind, &new.log_path, !new.ports.is_empty());
            let stored =
                (known.task, known.experiment, known.attempt, &known.kind, &known.log_path, known.port.is_some());
            if asked == stored && known.state != DeploymentState::Stopped {
                return Ok(known.port);
            }
            return Err(StoreError::Conflict { what: format!("deployment {:?}", new.id) });
        }
        let attempt = self.attempt(&write, new.experiment, new.attempt).await?;
        self.must_run(&attempt, "deploy for it")?;
        let host = self.lease.owner.host.clone();
        let held = deployments::Entity::find()
            .select_only()
            .column(deployments::Column::HeldPort)
            .filter(deployments::Column::Host.eq(&host))
            .filter(deployments::Column::HeldPort.is_not_null());
        let held: BTreeSet<i64> = held.into_tuple::<i64>().all(write.rows()).await?.into_iter().collect();
        let port = new.ports.iter().copied().find(|p| !held.contains(&i64::from(*p)));
        if port.is_none() && !new.ports.is_empty() {
            return Err(StoreError::NoFreePort { host, tried: new.ports.len() });
        }
        let row = deployments::ActiveModel {
            id: Set(new.id.clone()),
            task_id: Set(attempt.task_id),
            experiment: Set(attempt.experiment),
            attempt: Set(attempt.number),
            kind: Set(new.kind.clone()),
            host: Set(host),
            port: Set(port.map(i64::from)),
            held_port: Set(port.map(i64::from)),
            state: Set(DeploymentState::Reserved.word().to_owned()),
            pid: Set(None),
            pgid: Set(None),
            start_ticks: Set(None),
            address: Set(None),
            log_path: Set(new.log_path.clone()),
            fence: Set(self.lease.fence),
            created_at: Set(write.at),
            stopped_at: Set(None),
        };
        deployments::Entity::insert(row).exec_without_returning(write.rows()).await?;
        let event = Event::DeploymentReserved { attempt: new.attempt, deployment: new.id.clone(), port };
        write.commit(Scope::experiment(self.task, new.experiment), event).await?;
        Ok(port)
    }

    /// Sets the first `wanted` of these GPUs aside that no live deployment of this host holds, until the deployment is
    /// gone; all of them or none. Asking again gives the same ones.
    ///
    /// # Errors
    /// [`StoreError::NoFreeGpus`] names who holds them; [`StoreError::LeaseLost`]; [`StoreError::NotFound`];
    /// [`StoreError::WrongState`] if the deployment is gone.
    pub async fn reserve_gpus(&self, id: &str, wanted: usize, of: &[u32]) -> Result<Vec<u32>, StoreError> {
        let write = self.write().await?;
        let row = self.deployment(&write, id).await?;
        if DeploymentState::read(&row.state)? == DeploymentState::Stopped {
            let what = format!("deployment {id:?}");
            return Err(StoreError::WrongState { what, state: row.state, wanted: "reserve GPUs for it" });
        }
        let held = held_gpus::Entity::find().filter(held_gpus::Column::Host.eq(&row.host));
        let held = held.order_by_asc(held_gpus::Column::Gpu).all(write.rows()).await?;
        let ours: Vec<i64> = held.iter().filter(|h| h.deployment_id == id).map(|h| h.gpu).collect();
        if !ours.is_empty() || wanted == 0 {
            return ours.into_iter().map(|gpu| number("GPU", gpu)).collect();
        }
        let is_free = |gpu: &u32| !held.iter().any(|h| h.gpu == i64::from(*gpu));
        let free: Vec<u32> = of.iter().copied().filter(is_free).take(wanted).collect();
        if free.len() < wanted {
            let holders = held.into_iter().map(|h| format!("{} by {}", h.gpu, h.deployment_id)).collect();
            return Err(StoreError::NoFreeGpus { host: row.host, wanted, holders });
        }
        let hold = |gpu: &u32| {
            let (host, deployment_id) = (row.host.clone(), id.to_owned());
            held_gpus::Model { host, gpu: i64::from(*gpu), deployment_id }.into_active_model()
        };
        held_gpus::Entity::insert_many(free.iter().map(hold)).exec_without_returning(write.rows()).await?;
        let (experiment, attempt) = (number("experiment", row.experiment)?, number("attempt", row.attempt)?);
        let event = Event::GpusReserved { attempt, deployment: id.to_owned(), gpus: free.clone() };
        write.commit(Scope::experiment(self.task, experiment), event).await?;
        Ok(free)
    }

    /// A deployment of this task, locked until the end of the transaction.
    async fn deployment(&self, write: &Write, id: &str) -> Result<deployments::Model, StoreError> {
        let row = deployments::Entity::find_by_id(id.to_owned()).lock_exclusive().one(write.rows()).await?;
        let row = row.filter(|row| row.task_id == self.task.to_string());
        row.ok_or_else(|| StoreError::not_found(format!("deployment {id:?} of task {}", self.task)))
    }

    /// Records that a deployment was launched, and how to find it.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::NotFound`]; [`StoreError::WrongState`] if it is gone already.
    pub async fn deployment_running(&self, id: &str, running: &Running) -> Result<(), StoreError> {
        let write = self.write().await?;
        let row = self.deployment(&write, id).await?;
        let state = DeploymentState::read(&row.state)?;
        if state == DeploymentState::Stopped {
            let what = format!("deployment {id:?}");
            return Err(StoreError::WrongState { what, state: row.state, wanted: "record that it runs" });
        }
        let (experiment, attempt) = (number("experiment", row.experiment)?, number("attempt", row.attempt)?);
        let mut next = row.clone();
        next.state = DeploymentState::Running.word().to_owned();
        next.pid = running.pid.map(i64::from);
        next.pgid = running.pgid.map(i64::from);
        next.start_ticks = running.start_ticks.map(whole);
        next.address.clone_from(&running.address);
        if next == row {
            return Ok(());
        }
        let change = next.into_active_model().reset_all();
        deployments::Entity::update(change).exec_without_returning(write.rows()).await?;
        let (pid, address) = (running.pid, running.address.clone());
        let event = Event::DeploymentLaunched { attempt, deployment: id.to_owned(), pid, address };
        write.commit(Scope::experiment(self.task, experiment), event).await
    }
}
