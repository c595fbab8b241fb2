//! Tasks for doors: documents in, rows out.
//!
//! *Invariant*: a document is read by the reader of task files, whoever sends it and in whatever form.

use tuner_core::task::{self, BackendSpec, Diagnostic};
use tuner_policy::Action;
use tuner_store::{FullTask, JsonPage, NewTask, RevisionRow, StoreError, TaskId, TaskQuery, TaskRow, TaskStatus};

use super::{Service, apart};
use crate::access::Permit;
use crate::error::AppError;
use crate::tasks::{self as files, Known, TaskFile};
use crate::{forecast, tune};

/// A task as somebody sends it: YAML or JSON, this project's or the predecessor's.
#[derive(Clone, Debug)]
pub struct Document {
    /// The text.
    pub text: String,
    /// Where a predecessor's task shall run instead of what it says.
    pub backend: Option<BackendSpec>,
}

/// What a document says.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The task; none if there are errors.
    pub file: Option<TaskFile>,
    /// Errors and notes with their places.
    pub findings: Vec<Diagnostic>,
    /// What else is worth knowing, one line each.
    pub remarks: Vec<String>,
    /// It was a predecessor's.
    pub imported: bool,
}

impl Service {
    /// Everything that is wrong with a document, or worth knowing.
    ///
    /// # Errors
    /// [`AppError::Search`] is a finding too; only the permit can be wrong.
    pub async fn check_task(&self, permit: &Permit, document: &Document) -> Result<Checked, AppError> {
        permit.must_be_for(Action::TaskCheck)?;
        let imported = task::is_predecessor_file(&document.text);
        match self.read(document).await {
            Ok(file) => {
                let mut remarks = file.remarks().split_off(file.notes.len());
                let (home, around, same) = (self.home().clone(), self.around().clone(), file.clone());
                remarks.extend(apart(move || forecast::notes(&home, &same, &around)).await);
                Ok(Checked { findings: file.findings.clone(), file: Some(file), remarks, imported })
            }
            Err(AppError::TaskFile { found, .. }) => {
                Ok(Checked { file: None, findings: found, remarks: Vec::new(), imported })
            }
            Err(AppError::Search { message, .. }) => {
                Ok(Checked { file: None, findings: Vec::new(), remarks: vec![message], imported })
            }
            Err(error) => Err(error),
        }
    }

    /// Stores a task. A name that is taken is refused.
    ///
    /// # Errors
    /// [`AppError::TaskFile`] with every finding; [`StoreError::NameTaken`].
    pub async fn create_task(&self, permit: &Permit, document: &Document) -> Result<TaskRow, AppError> {
        permit.must_be_for(Action::TaskCreate)?;
        let file = self.read(document).await?;
        self.may_fetch_all(&file.spec)?;
        Ok(self.store().create_task(NewTask { id: permit.makes(), spec: file.spec, source: file.source }).await?)
    }

    /// Makes a new revision of a task that rests.
    ///
    /// # Errors
    /// [`AppError::TaskFile`]; [`StoreError::WrongState`] while it runs; [`StoreError::NameTaken`].
    pub async fn edit_task(&self, permit: &Permit, wanted: &str, document: &Document) -> Result<TaskRow, AppError> {
        permit.must_be_for(Action::TaskEdit)?;
        let row = self.find(wanted).await?;
        let file = self.read(document).await?;
        self.may_fetch_all(&file.spec)?;
        let new = NewTask { id: TaskId::new(), spec: file.spec, source: file.source };
        Ok(self.store().revise_task(row.id, new).await?)
    }

    /// Stores a copy under another name: the one given, or the next free `NAME-2`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`AppError::TaskFile`] if the name is none; [`StoreError::NameTaken`].
    pub async fn clone_task(&self, permit: &Permit, wanted: &str, name: Option<&str>) -> Result<TaskRow, AppError> {
        permit.must_be_for(Action::TaskClone)?;
        let row = self.find(wanted).await?;
        let mut spec = self.store().full_task(&row.id.to_string()).await?.spec;
        if let Some(name) = name {
            name.clone_into(&mut spec.name);
        }
        let file = self.read(&Document { text: task::to_yaml(&spec), backend: None }).await?;
        if name.is_none() {
            return files::create_as(self.store(), permit.makes(), &file).await;
        }
        Ok(self.store().create_task(NewTask { id: permit.makes(), spec: file.spec, source: file.source }).await?)
    }

    /// Tasks, newest first, with how many of their experiments ended how.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_tasks(
        &self,
        permit: &Permit,
        query: &TaskQuery,
        after: Option<TaskId>,
        limit: u32,
    ) -> Result<JsonPage, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        Ok(self.store().task_page(query, after, limit).await?)
    }

    /// A task by id, name or beginning of an id.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`].
    pub async fn show_task(&self, permit: &Permit, wanted: &str) -> Result<FullTask, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        Ok(self.store().full_task(wanted).await?)
    }

    /// A task by its whole name.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn task_by_name(&self, permit: &Permit, name: &str) -> Result<FullTask, AppError> {
        let found = self.show_task(permit, name).await?;
        if found.row.name != name {
            return Err(StoreError::NoSuchTask { wanted: name.to_owned() }.into());
        }
        Ok(found)
    }

    /// Every revision of a task, newest first; a task that was never edited is its own only one.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn task_revisions(&self, permit: &Permit, wanted: &str) -> Result<Vec<RevisionRow>, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        let row = self.find(wanted).await?;
        let known = self.store().revisions(row.id).await?;
        if known.is_empty() {
            return Ok(vec![RevisionRow { number: 1, at: row.created_at, task: row }]);
        }
        Ok(known)
    }

    /// Puts a task away, or back.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`StoreError::WrongState`] while it runs.
    pub async fn archive_task(&self, permit: &Permit, wanted: &str, away: bool) -> Result<FullTask, AppError> {
        permit.must_be_for(Action::TaskArchive)?;
        let row = self.find(wanted).await?;
        self.store().archive_task(row.id, away).await?;
        Ok(self.store().full_task(&row.id.to_string()).await?)
    }

    /// Asks to stop a task for good; where nobody works on it, it ends here and now.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn cancel_task(&self, permit: &Permit, wanted: &str) -> Result<TaskStatus, AppError> {
        permit.must_be_for(Action::TaskCancel)?;
        let row = self.find(wanted).await?;
        let (home, store, around) = (self.home().clone(), self.store().clone(), self.around().clone());
        // A worker's steps stay on one thread.
        let runtime = tokio::runtime::Handle::current();
        apart(move || runtime.block_on(tune::cancel(&home, &store, &row, &around))).await
    }

    /// Removes a task with everything of it, earlier revisions included.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`AppError::InUse`], [`StoreError::WrongState`] while it is worked on.
    pub async fn delete_task(&self, permit: &Permit, wanted: &str) -> Result<(), AppError> {
        permit.must_be_for(Action::TaskDelete)?;
        let row = self.find(wanted).await?;
        if matches!(row.status, TaskStatus::Running | TaskStatus::Cancelling) {
            return Err(AppError::InUse { name: row.name });
        }
        let newest = self.store().revised(row.id).await?.replaced_by.is_none();
        let earlier = if newest { self.store().revisions(row.id).await? } else { Vec::new() };
        for revision in earlier.iter().filter(|revision| revision.task.id != row.id) {
            files::delete(self.store(), self.home(), &revision.task).await?;
        }
        files::delete(self.store(), self.home(), &row).await
    }

    /// Reads a document; relative paths in it are relative to the data directory.
    pub(super) async fn read(&self, document: &Document) -> Result<TaskFile, AppError> {
        let known = Known::of(self.store()).await?;
        let place = self.home().root().join("document");
        let document = document.clone();
        // What a hostile document costs stays off the threads that answer.
        apart(move || {
            if !task::is_predecessor_file(&document.text) {
                return files::read_text_as(&document.text, &place, &known);
            }
            let imported = files::import_text(&document.text, "document", document.backend)?;
            let mut file = files::read_text_as(&imported.yaml, &place, &known)?;
            file.findings = imported.findings;
            file.notes = imported.notes;
            Ok(file)
        })
        .await
    }
}
