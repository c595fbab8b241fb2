//! The commands: what each does to a book, or why it does nothing.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::book::{Book, Call, CallState, Decided, Ending, Grant, Proposal, RunState, Stop, Via};
use super::command::{Command, Edited, Happened, Refused};
use super::gate::{Gate, gate, grant_for};
use super::rules::Rules;
use crate::Scope;

/// How long a person has to decide about a call that had leave when it was proposed.
const PATIENCE: TimeDelta = TimeDelta::hours(8);

/// What a command gives.
type Done = Result<Vec<Happened>, Refused>;

impl Book {
    /// Does what a command says, entirely or not at all. A command that was done before, and changes nothing, is done.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn apply(&mut self, command: Command, rules: &Rules, now: DateTime<Utc>) -> Done {
        let before = self.run.state;
        let mut happened = match command {
            Command::Think => self.think()?,
            Command::Answer { calls, patience } => self.answer(calls, patience, rules, now)?,
            Command::AskAgain => self.ask_again()?,
            Command::Approve { call, digest, edited, by } => self.approve(call, &digest, edited, by, now)?,
            Command::Deny { call, reason, by } => self.deny(call, reason, by, now)?,
            Command::Grant(grant) => self.grant(*grant, rules, now),
            Command::Revoke { grant, scope } => self.revoke(grant, scope, now)?,
            Command::Start { call, holder } => self.start(call, holder, now)?,
            Command::End { call, holder, ending, untrusted } => self.end(call, holder, ending, untrusted, now)?,
            Command::Recover { holder } => self.recover(holder),
            Command::Resolve { call, ending } => self.resolve(call, ending, now)?,
            Command::Stop { by } => self.stop(by, now),
            Command::Expire => self.expire(now),
            Command::Finish { state, why } => self.finish(state, why, now)?,
        };
        self.settle();
        if self.run.state != before {
            happened.push(Happened::Run(self.run.state));
        }
        Ok(happened)
    }

    /// Calls of the newest step.
    pub fn step(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.step == self.run.steps)
    }

    fn goes_on(&self) -> Result<(), Refused> {
        if self.run.stop.is_some() || self.run.state.is_end() { Err(Refused::Over) } else { Ok(()) }
    }

    fn call(&mut self, id: Uuid) -> Result<&mut Call, Refused> {
        self.calls.iter_mut().find(|call| call.id == id).ok_or(Refused::NoSuchCall(id))
    }

    fn think(&mut self) -> Done {
        self.goes_on()?;
        if self.run.outside || !matches!(self.run.state, RunState::Queued | RunState::Thinking) {
            return Err(Refused::WrongState(self.run.state));
        }
        self.run.state = RunState::Thinking;
        Ok(Vec::new())
    }

    fn ask_again(&mut self) -> Done {
        if self.run.state == RunState::Thinking {
            self.run.state = RunState::Queued;
        }
        Ok(Vec::new())
    }

    fn answer(&mut self, calls: Vec<Proposal>, patience: TimeDelta, rules: &Rules, now: DateTime<Utc>) -> Done {
        self.goes_on()?;
        if self.run.state != RunState::Thinking && !self.run.outside {
            return Err(Refused::WrongState(self.run.state));
        }
        self.run.steps += 1;
        self.run.state = if calls.is_empty() { RunState::Completed } else { RunState::Acting };
        let mut happened = Vec::new();
        for (place, proposal) in calls.into_iter().enumerate() {
            let gate = gate(self, rules, &proposal, now);
            if rules.shadow
                && let Some((effect, why)) = rules.find(&proposal)
            {
                happened.push(Happened::Shadow(proposal.id, format!("{effect:?}: {why}").to_lowercase()));
            }
            let mut call = self.row(&proposal, place, now);
            happened.push(Happened::Proposed(call.id));
            let decided = |allowed, via, reason, grant| {
                Some(Decided { allowed, via, by: None, reason, grant, proposed: None, at: now })
            };
            match gate {
                Gate::Allow { via, grant } => {
                    call.state = CallState::Ready;
                    call.decided = decided(true, via, None, grant);
                    happened.extend(self.take(grant, &proposal));
                }
                Gate::Ask => {
                    call.state = CallState::AwaitingAuthorization;
                    call.expires_at = Some(now + patience);
                }
                Gate::Deny(why) => {
                    call.state = CallState::Denied;
                    call.ended_at = Some(now);
                    call.decided = decided(false, Via::Policy, Some(why), None);
                }
                Gate::Unfit => {
                    call.state = CallState::Failed;
                    call.ended_at = Some(now);
                }
            }
            self.calls.push(call);
        }
        Ok(happened)
    }

    fn row(&self, proposal: &Proposal, place: usize, now: DateTime<Utc>) -> Call {
        Call {
            id: proposal.id,
            run: self.run.id,
            step: self.run.steps,
            place: u32::try_from(place).unwrap_or(u32::MAX),
            tool: proposal.tool.clone(),
            scope: proposal.scope,
            risk: proposal.risk,
            task: proposal.task.clone(),
            cost: proposal.cost,
            arguments: proposal.arguments.clone(),
            digest: proposal.digest.clone(),
            repeatable: proposal.repeatable,
            state: CallState::Ready,
            decided: None,
            holder: None,
            starts: 0,
            proposed_at: now,
            expires_at: None,
            started_at: None,
            ended_at: None,
        }
    }

    /// Uses a grant.
    fn take(&mut self, grant: Option<Uuid>, call: &Proposal) -> Option<Happened> {
        let grant = self.grants.iter_mut().find(|known| Some(known.id) == grant)?;
        grant.take(call);
        Some(Happened::Used(grant.id))
    }

    fn approve(&mut self, id: Uuid, digest: &str, edited: Option<Edited>, by: String, now: DateTime<Utc>) -> Done {
        let over = self.goes_on();
        let call = self.call(id)?;
        if call.state != CallState::AwaitingAuthorization {
            // The same click again, from another tab or after a lost answer.
            let same =
                call.decided.as_ref().is_some_and(|d| d.allowed && d.via == Via::Person) && call.digest == digest;
            return if same && edited.is_none() { Ok(Vec::new()) } else { Err(settled(call)) };
        }
        over?;
        if call.digest != digest {
            return Err(Refused::Differs);
        }
        if call.expires_at.is_some_and(|at| at <= now) {
            return Err(settled(call));
        }
        let mut proposed = None;
        if let Some(Edited { proposal }) = edited {
            proposed = Some(std::mem::replace(&mut call.arguments, proposal.arguments));
            call.digest = proposal.digest;
            call.task = proposal.task;
            call.cost = proposal.cost;
        }
        call.state = CallState::Ready;
        call.decided = Some(Decided {
            allowed: true,
            via: Via::Person,
            by: Some(by),
            reason: None,
            grant: None,
            proposed,
            at: now,
        });
        Ok(vec![Happened::Decided(id)])
    }

    fn deny(&mut self, id: Uuid, reason: Option<String>, by: String, now: DateTime<Utc>) -> Done {
        let call = self.call(id)?;
        if call.state != CallState::AwaitingAuthorization {
            let same = call.decided.as_ref().is_some_and(|d| !d.allowed && d.via == Via::Person);
            return if same { Ok(Vec::new()) } else { Err(settled(call)) };
        }
        refuse(call, Via::Person, Some(by), reason, now);
        Ok(vec![Happened::Decided(id), Happened::Ended(id)])
    }

    fn grant(&mut self, grant: Grant, rules: &Rules, now: DateTime<Utc>) -> Vec<Happened> {
        let mut happened = vec![Happened::Granted(grant.id)];
        let by = grant.by.clone();
        self.grants.push(grant);
        if self.goes_on().is_err() {
            return happened;
        }
        for at in 0..self.calls.len() {
            let call = &self.calls[at];
            if call.state != CallState::AwaitingAuthorization || call.expires_at.is_some_and(|at| at <= now) {
                continue;
            }
            let (id, proposal) = (call.id, Proposal::from(call));
            let asks = !rules.shadow && matches!(rules.find(&proposal), Some((super::RuleEffect::Ask, _)));
            let Some(grant) = grant_for(self, &proposal, now).filter(|_| !asks) else { continue };
            happened.extend(self.take(Some(grant), &proposal));
            let call = &mut self.calls[at];
            call.state = CallState::Ready;
            let (by, grant) = (Some(by.clone()), Some(grant));
            call.decided =
                Some(Decided { allowed: true, via: Via::Grant, by, reason: None, grant, proposed: None, at: now });
            happened.push(Happened::Decided(id));
        }
        happened
    }

    fn revoke(&mut self, grant: Option<Uuid>, scope: Option<Scope>, now: DateTime<Utc>) -> Done {
        let meant = |known: &&mut Grant| {
            known.revoked_at.is_none() && (Some(known.id) == grant || (grant.is_none() && Some(known.scope) == scope))
        };
        let mut happened = Vec::new();
        for known in self.grants.iter_mut().filter(meant) {
            known.revoked_at = Some(now);
            happened.push(Happened::Revoked(known.id));
        }
        if happened.is_empty() {
            return Err(Refused::NoSuchGrant);
        }
        // What was not begun under it has no leave any more.
        let revoked: Vec<Uuid> = self.grants.iter().filter(|g| g.revoked_at.is_some()).map(|g| g.id).collect();
        for call in self.calls.iter_mut().filter(|call| call.state == CallState::Ready && call.starts == 0) {
            let leave = call.decided.as_ref().and_then(|d| d.grant);
            if leave.is_some_and(|id| revoked.contains(&id)) {
                call.state = CallState::AwaitingAuthorization;
                call.decided = None;
                call.expires_at = call.expires_at.or(Some(now + PATIENCE));
                happened.push(Happened::Interrupted(call.id));
            }
        }
        Ok(happened)
    }

    fn start(&mut self, id: Uuid, holder: Uuid, now: DateTime<Utc>) -> Done {
        self.goes_on()?;
        let call = self.call(id)?;
        if call.state != CallState::Ready {
            return Err(Refused::NotYours);
        }
        call.state = CallState::Running;
        call.holder = Some(holder);
        call.starts += 1;
        call.started_at = Some(now);
        Ok(vec![Happened::Started(id)])
    }

    fn end(&mut self, id: Uuid, holder: Uuid, ending: Ending, untrusted: bool, now: DateTime<Utc>) -> Done {
        let call = self.call(id)?;
        if call.holder != Some(holder) || call.state != CallState::Running {
            return Err(Refused::NotYours);
        }
        conclude(call, ending, now);
        if untrusted {
            self.untrusted_at = Some(now);
        }
        Ok(vec![Happened::Ended(id)])
    }

    fn recover(&mut self, holder: Uuid) -> Vec<Happened> {
        let over = self.goes_on().is_err();
        let mut happened = Vec::new();
        for call in &mut self.calls {
            if call.state == CallState::Running && call.holder != Some(holder) {
                call.holder = None;
                let again = call.repeatable && !over;
                call.state = if again { CallState::Ready } else { CallState::UnknownOutcome };
                happened.push(Happened::Interrupted(call.id));
            }
        }
        if self.run.state == RunState::Thinking {
            self.run.state = RunState::Queued;
        }
        happened
    }

    fn resolve(&mut self, id: Uuid, ending: Ending, now: DateTime<Utc>) -> Done {
        let call = self.call(id)?;
        if call.state != CallState::UnknownOutcome {
            return Err(settled(call));
        }
        conclude(call, ending, now);
        Ok(vec![Happened::Ended(id)])
    }

    fn stop(&mut self, by: String, now: DateTime<Utc>) -> Vec<Happened> {
        if self.goes_on().is_err() {
            return Vec::new();
        }
        self.run.stop = Some(Stop { by: by.clone(), at: now });
        let mut happened = Vec::new();
        for call in &mut self.calls {
            if matches!(call.state, CallState::AwaitingAuthorization | CallState::Ready) {
                refuse(call, Via::Stop, Some(by.clone()), None, now);
                call.state = CallState::Cancelled;
                happened.push(Happened::Ended(call.id));
            }
        }
        happened
    }

    fn expire(&mut self, now: DateTime<Utc>) -> Vec<Happened> {
        let mut happened = Vec::new();
        for call in &mut self.calls {
            let over = call.expires_at.is_some_and(|at| at <= now);
            if call.state == CallState::AwaitingAuthorization && over {
                refuse(call, Via::Expiry, None, Some("nobody answered in time".to_owned()), now);
                happened.extend([Happened::Decided(call.id), Happened::Ended(call.id)]);
            }
        }
        happened
    }

    fn finish(&mut self, state: RunState, why: Option<String>, now: DateTime<Utc>) -> Done {
        if self.run.state.is_end() {
            return Err(Refused::Over);
        }
        let mut happened = Vec::new();
        for call in self.calls.iter_mut().filter(|call| !call.state.is_end() && call.state != CallState::Running) {
            refuse(call, Via::Stop, None, why.clone(), now);
            call.state = CallState::Cancelled;
            happened.push(Happened::Ended(call.id));
        }
        self.run.state = state;
        self.run.failure = why;
        Ok(happened)
    }

    /// Where the run is, after what its calls are.
    fn settle(&mut self) {
        if self.run.state.is_end() {
            return;
        }
        let any = |wanted: fn(CallState) -> bool| self.calls.iter().any(|call| wanted(call.state));
        let busy = any(|state| matches!(state, CallState::Running | CallState::UnknownOutcome));
        if self.run.stop.is_some() {
            if !busy {
                self.run.state = RunState::Stopped;
            }
            return;
        }
        if !matches!(self.run.state, RunState::Acting | RunState::AwaitingAuthorization) {
            return;
        }
        self.run.state = if busy || any(|state| state == CallState::Ready) {
            RunState::Acting
        } else if any(|state| state == CallState::AwaitingAuthorization) {
            RunState::AwaitingAuthorization
        } else if self.run.outside {
            RunState::Completed
        } else {
            RunState::Queued
        };
    }
}

fn settled(call: &Call) -> Refused {
    Refused::Settled { state: call.state, decided: call.decided.clone().map(Box::new) }
}

fn refuse(call: &mut Call, via: Via, by: Option<String>, reason: Option<String>, now: DateTime<Utc>) {
    call.state = CallState::Denied;
    call.ended_at = Some(now);
    call.decided = Some(Decided { allowed: false, via, by, reason, grant: None, proposed: None, at: now });
}

fn conclude(call: &mut Call, ending: Ending, now: DateTime<Utc>) {
    call.holder = None;
    call.ended_at = Some(now);
    call.state = match ending {
        Ending::Succeeded => CallState::Succeeded,
        Ending::Failed => CallState::Failed,
        Ending::Cancelled => CallState::Cancelled,
    };
}
