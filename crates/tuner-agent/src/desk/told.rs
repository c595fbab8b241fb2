//! Conversations that are told when a task ends.

use tuner_app::access::Permit;
use tuner_policy::Action;
use tuner_store::{NewMessage, StoreError, TaskNews, TaskSubscription};

use super::{Desk, asker};
use crate::driver::Agent;
use crate::error::AgentError;

impl Desk {
    /// Has the agent told of a task's end in a conversation.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`], [`AgentError::Invalid`]; [`StoreError::NoSuchTask`].
    pub async fn subscribe(
        &self,
        permit: &Permit,
        session: &str,
        task: &str,
        kinds: &[TaskNews],
    ) -> Result<TaskSubscription, AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        if kinds.is_empty() {
            return Err(AgentError::Invalid { field: "event_types", message: "name at least one".to_owned() });
        }
        let task = self.store().task(task).await?.id;
        Ok(self.store().subscribe(id, task, kinds, &asker(permit)).await?)
    }

    /// Takes that back.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`]; [`StoreError::NotFound`] if nobody wished it.
    pub async fn unsubscribe(&self, permit: &Permit, session: &str, task: &str) -> Result<(), AgentError> {
        permit.must_be_for(Action::ChatWrite)?;
        let id = self.mine(permit, session).await?.id;
        let task = self.store().task(task).await?.id;
        Ok(self.store().unsubscribe(id, task).await?)
    }

    /// The tasks of whose end the agent is told in a conversation.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`].
    pub async fn subscriptions(&self, permit: &Permit, session: &str) -> Result<Vec<TaskSubscription>, AgentError> {
        permit.must_be_for(Action::ChatRead)?;
        let id = self.mine(permit, session).await?.id;
        Ok(self.store().subscriptions(id).await?)
    }
}

impl Agent {
    /// Tells conversations of tasks that have ended, as they wished, where there is a model to hear it. What is not told
    /// because the store failed is told the next time; said twice it is said once, by its id.
    pub(crate) async fn tell_of_tasks(&self) {
        if self.model().is_some()
            && let Err(error) = self.tell_all().await
        {
            tracing::warn!(error = %error.in_words(), "a conversation could not be told of a task; trying again");
        }
    }

    async fn tell_all(&self) -> Result<(), StoreError> {
        for (wish, name, status) in self.store().due_subscriptions().await? {
            if let Some(news) = TaskNews::of(status).filter(|news| wish.event_types.contains(news)) {
                let text =
                    format!("[{}] The task {name:?} has ended. Look at what came of it, and tell me.", news.word());
                let new = NewMessage { id: wish.id, text, asker: wish.asker };
                self.store().say(wish.session, new).await?;
            }
            self.store().end_subscription(wish.id).await?;
        }
        Ok(())
    }
}
