//! `autotuner chat`

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tuner_agent::{Approval, Desk, GrantWish, LiveEvent};
use tuner_app::access::{self, Permit};
use tuner_policy::chat::{CallState, Mode, RunState};
use tuner_policy::{Action, Resource};
use tuner_store::{About, CallRow, ChatChange, ChatRole, Conversation, Event};
use uuid::Uuid;

use crate::agent;
use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;

const KEYS: &str = "\
The agent looks at everything by itself; what changes something waits for your word on a card:
  y  let this call happen        s  let all calls of its scope happen in this conversation
  n  refuse it (say why)         e  give other arguments (JSON)
An empty line decides nothing. /stop ends what is under way, /mode ask|read_only|unattended changes how calls are
treated, /quit leaves. Set AGENT_PROVIDER (local, openai, anthropic), AGENT_MODEL, AGENT_BASE_URL and AGENT_API_KEY, or
write them into agent.json in the data directory.";

#[derive(Debug, clap::Args)]
#[command(after_help = KEYS)]
pub(crate) struct Args {
    /// Go on with this conversation: its id, or `last`.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Say this, show the answer, and end; calls that need your word are left waiting.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Refuse every call that changes anything.
    #[arg(long)]
    read_only: bool,
    /// List the conversations and end.
    #[arg(long, conflicts_with_all = ["session", "message"])]
    list: bool,
    /// Try the connection to the model, step by step, and end.
    #[arg(long, conflicts_with_all = ["session", "message", "list"])]
    check: bool,
}

/// Who sits at this machine.
fn permit(action: Action) -> anyhow::Result<Permit> {
    Ok(access::permit(agent::here("terminal"), action, Resource::Kept)?)
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (store, desk) = agent::at_home(settings).await?;
    if args.check {
        return check(&desk, settings).await;
    }
    if args.list {
        return list(&desk, settings).await;
    }
    let view = desk.status(&permit(Action::ChatRead)?)?;
    // Without a model one can still look at a conversation, and decide about what waits in it.
    if !view.available && (args.session.is_none() || args.message.is_some()) {
        let hint = "for a local server: AGENT_MODEL=name AGENT_BASE_URL=http://127.0.0.1:8080/v1 autotuner chat";
        return Err(Refusal::usage(format!("there is no chat model: {}", view.message), hint).into());
    }
    let session = match args.session.as_deref() {
        None => {
            let mode = args.read_only.then_some(Mode::ReadOnly);
            desk.begin(&permit(Action::ChatWrite)?, None, mode).await?.id
        }
        Some("last") => {
            let page = desk.list(&permit(Action::ChatRead)?, None, None, 1).await?;
            let last = page.items.first().map(|item| item.session.id);
            last.ok_or_else(|| Refusal::usage("there is no conversation yet", "leave --session out to begin one"))?
        }
        Some(id) => desk.session(&permit(Action::ChatRead)?, id).await?.id,
    };
    let stop = CancellationToken::new();
    let driver = desk.agent().start(stop.clone());
    let mut talk =
        Talk { desk, session, id: session.to_string(), shown: BTreeSet::new(), streamed: None, json: settings.json };
    let done = match args.message {
        Some(text) => talk.once(&text).await,
        None => talk.converse().await,
    };
    stop.cancel();
    driver.await?;
    store.close().await?;
    done
}

async fn check(desk: &Desk, settings: &Settings) -> anyhow::Result<Exit> {
    let check = desk.check(&permit(Action::ChatWrite)?).await?;
    if settings.json {
        ui::json(&check)?;
    } else {
        for finding in &check.findings {
            let what = serde_json::to_value(finding.step)?;
            let verdict = serde_json::to_value(finding.verdict)?;
            ui::answer(&format!(
                "{:8} {}: {}",
                verdict.as_str().unwrap_or_default(),
                what.as_str().unwrap_or_default(),
                finding.says
            ));
            if let Some(to_do) = &finding.to_do {
                ui::answer(&format!("         hint: {to_do}"));
            }
        }
    }
    Ok(if check.is_usable() { Exit::Success } else { Exit::NotReady })
}

async fn list(desk: &Desk, settings: &Settings) -> anyhow::Result<Exit> {
    let page = desk.list(&permit(Action::ChatRead)?, None, None, 50).await?;
    if settings.json {
        ui::json(&page.items)?;
        return Ok(Exit::Success);
    }
    for item in &page.items {
        let waiting = if item.waiting > 0 { format!(" ({} waiting for you)", item.waiting) } else { String::new() };
        let at = item.session.updated_at.format("%Y-%m-%d %H:%M");
        ui::answer(&format!("{}  {at}  {}{waiting}", item.session.id, item.session.title));
    }
    if page.items.is_empty() {
        ui::say("no conversations yet");
    }
    Ok(Exit::Success)
}

/// A conversation on a terminal.
struct Talk {
    desk: Desk,
    session: Uuid,
    id: String,
    /// What was shown already: messages, and calls with their state.
    shown: BTreeSet<String>,
    /// The message whose pieces are on the screen.
    streamed: Option<Uuid>,
    json: bool,
}

impl Talk {
    /// Says one thing and waits until nothing goes on by itself.
    async fn once(&mut self, text: &str) -> anyhow::Result<Exit> {
        let (said, _) = self.desk.say(&permit(Action::ChatWrite)?, &self.id, text).await?;
        self.shown.insert(said.id.to_string());
        let talk = self.follow().await?;
        if self.json {
            ui::json(&talk)?;
        }
        let waiting = talk.calls.iter().filter(|row| row.call.state == CallState::AwaitingAuthorization).count();
        if waiting > 0 {
            ui::say(&format!("{waiting} calls wait for your word: autotuner chat --session {}", self.session));
        }
        let failed = talk.runs.last().is_some_and(|run| run.run.state == RunState::Failed);
        Ok(if failed { Exit::TaskFailed } else { Exit::Success })
    }

    async fn converse(&mut self) -> anyhow::Result<Exit> {
        ui::say(&format!("conversation {}; /quit leaves", self.session));
        let mut lines = lines();
        // What was left when the terminal was closed.
        self.follow().await?;
        loop {
            if !self.decide(&mut lines).await? {
                return Ok(Exit::Success);
            }
            prompt("> ");
            let Some(line) = lines.recv().await else { return Ok(Exit::Success) };
            match line.trim() {
                "" => continue,
                "/quit" | "/exit" => return Ok(Exit::Success),
                "/stop" => {
                    self.desk.stop(&permit(Action::ChatWrite)?, &self.id).await?;
                }
                word if word.starts_with("/mode ") => self.mode(word.trim_start_matches("/mode ").trim()).await?,
                word if word.starts_with('/') => ui::say(KEYS),
                text => match self.desk.say(&permit(Action::ChatWrite)?, &self.id, text).await {
                    Ok((said, _)) => {
                        self.shown.insert(said.id.to_string());
                    }
                    Err(error) => ui::error(&error.into()),
                },
            }
            self.follow_while(&mut lines).await?;
        }
    }

    async fn mode(&self, word: &str) -> anyhow::Result<()> {
        let Ok(mode) = serde_json::from_value::<Mode>(word.into()) else {
            ui::say("/mode ask, read_only or unattended");
            return Ok(());
        };
        self.desk.change(&permit(Action::ChatWrite)?, &self.id, None, Some(mode)).await?;
        ui::say(&format!("calls are treated as {word} from now on"));
        Ok(())
    }

    /// Follows; `/stop` stops, anything else waits its turn.
    async fn follow_while(&mut self, lines: &mut mpsc::Receiver<String>) -> anyhow::Result<()> {
        let (desk, id) = (self.desk.clone(), self.id.clone());
        'again: loop {
            let follow = self.follow();
            tokio::pin!(follow);
            // What was said may have begun a run after following last looked.
            let mut heeded = false;
            loop {
                let line = tokio::select! {
                    done = &mut follow => {
                        done?;
                        if heeded {
                            continue 'again;
                        }
                        return Ok(());
                    }
                    line = lines.recv() => line,
                };
                // Nobody types any more; what was let happen is still seen to its end.
                let Some(line) = line else {
                    follow.await?;
                    break 'again;
                };
                heeded = true;
                let heed = heed(&desk, &id, line.trim());
                tokio::pin!(heed);
                // Following holds a connection while it reads, which heeding may need: neither waits for the other.
                tokio::select! {
                    stays = &mut heed => if !stays? {
                        return Ok(());
                    },
                    done = &mut follow => {
                        done?;
                        if !heed.await? {
                            return Ok(());
                        }
                        continue 'again;
                    }
                }
            }
        }
        self.follow().await.map(drop)
    }

    /// Shows what happens until nothing goes on by itself.
    async fn follow(&mut self) -> anyhow::Result<Conversation> {
        let store = {
            let permit = permit(Action::ChatRead)?;
            self.desk.session(&permit, &self.id).await?;
            self.desk.store().clone()
        };
        let mut talk = store.conversation(self.session).await?;
        self.catch_up(&talk);
        let mut follower = store.follow(talk.seq, About::Session(self.session));
        let (first, mut live) = self.desk.agent().live().watch(self.session);
        self.piece(first);
        loop {
            let goes_on = |run: &tuner_store::ChatRun| {
                !run.run.state.is_end() && run.run.state != RunState::AwaitingAuthorization
            };
            if !talk.runs.iter().any(goes_on) {
                return Ok(talk);
            }
            tokio::select! {
                events = follower.next(100) => {
                    for row in events? {
                        if let Event::Chat { change, .. } = row.event {
                            self.change(&change);
                        }
                    }
                    talk = store.conversation(self.session).await?;
                }
                event = live.recv() => match event {
                    Ok(event) => self.piece(event),
                    Err(_) => live = self.desk.agent().live().watch(self.session).1,
                },
            }
        }
    }

    fn catch_up(&mut self, talk: &Conversation) {
        for message in &talk.messages {
            self.change(&ChatChange::Message { row: Box::new(message.clone()) });
            for row in talk.calls.iter().filter(|row| row.message == message.id) {
                self.change(&ChatChange::Call { row: Box::new(row.clone()) });
            }
        }
    }

    fn piece(&mut self, event: LiveEvent) {
        if self.json {
            return;
        }
        match event {
            LiveEvent::Snapshot { unfinished: Some(unfinished) } => {
                self.streamed = Some(unfinished.message);
                print(&unfinished.text);
            }
            LiveEvent::Delta { message, text } => {
                self.streamed = Some(message);
                print(&text);
            }
            LiveEvent::Retrying { attempt, after_s, why } => {
                ui::say(&format!("the model did not answer ({why}); try {attempt} in {after_s:.0} s"));
            }
            LiveEvent::Progress { progress, .. } => {
                if let Some(text) = progress["text"].as_str() {
                    ui::say(&format!("    {text}"));
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, change: &ChatChange) {
        if self.json {
            return;
        }
        match change {
            ChatChange::Message { row } if self.shown.insert(row.id.to_string()) => match row.role {
                ChatRole::User => ui::answer(&format!("> {}", row.body.text)),
                ChatRole::Note => ui::say(&format!("  ! {}", row.body.text)),
                ChatRole::Assistant if self.streamed == Some(row.id) => {
                    self.streamed = None;
                    print("\n");
                }
                ChatRole::Assistant => ui::answer(&row.body.text),
            },
            ChatChange::Call { row } => {
                let state = row.call.state.word();
                if self.shown.insert(format!("{} {state}", row.call.id)) && row.call.state != CallState::Ready {
                    ui::say(&format!("  [{state}] {}", one_line(row)));
                }
            }
            _ => {}
        }
    }

    /// Asks about every call that waits; false where the terminal is gone.
    async fn decide(&mut self, lines: &mut mpsc::Receiver<String>) -> anyhow::Result<bool> {
        loop {
            let talk = self.desk.show(&permit(Action::ChatRead)?, &self.id).await?;
            let waits = |row: &&CallRow| row.call.state == CallState::AwaitingAuthorization;
            let Some(row) = talk.calls.iter().find(waits) else { return Ok(true) };
            card(row);
            if let Some(why) = stale(&talk, row) {
                ui::answer(why);
            }
            prompt("  y once, s for this conversation, n no, e edit: ");
            let Some(line) = lines.recv().await else { return Ok(false) };
            let (call, digest) = (row.call.id, row.call.digest.clone());
            let done = match line.trim() {
                "y" => self.approve(call, digest, None).await,
                "s" => self.allow(row).await,
                "n" => {
                    prompt("  why (may be empty): ");
                    let reason = lines.recv().await.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
                    let deny = Approval::Deny { reason, stop: false };
                    self.desk.decide(&permit(Action::ChatApprove)?, &self.id, call, deny).await.map(drop)
                }
                "e" => {
                    prompt("  arguments: ");
                    let text = lines.recv().await.unwrap_or_default();
                    match serde_json::from_str(&text) {
                        Ok(arguments) => self.approve(call, digest, Some(arguments)).await,
                        Err(error) => {
                            ui::say(&format!("  that is not JSON: {error}"));
                            continue;
                        }
                    }
                }
                "/quit" => return Ok(false),
                "/stop" => self.desk.stop(&permit(Action::ChatWrite)?, &self.id).await.map(drop),
                _ => continue,
            };
            if let Err(error) = done {
                ui::error(&error.into());
            }
            self.follow_while(lines).await?;
        }
    }

    async fn approve(
        &self,
        call: Uuid,
        digest: String,
        edited: Option<serde_json::Value>,
    ) -> Result<(), tuner_agent::AgentError> {
        let permit =
            permit(Action::ChatApprove).map_err(|error| tuner_agent::AgentError::NoSuchScope(error.to_string()))?;
        self.desk.decide(&permit, &self.id, call, Approval::Approve { digest, edited }).await.map(drop)
    }

    async fn allow(&self, row: &CallRow) -> Result<(), tuner_agent::AgentError> {
        let scopes = row.call.scope.iter().map(ToString::to_string).collect();
        let permit =
            permit(Action::ChatApprove).map_err(|error| tuner_agent::AgentError::NoSuchScope(error.to_string()))?;
        self.desk.grant(&permit, &self.id, &GrantWish { scopes, ..GrantWish::default() }).await.map(drop)
    }
}

/// Does what was typed while something goes on; false where the person leaves.
async fn heed(desk: &Desk, id: &str, line: &str) -> anyhow::Result<bool> {
    match line {
        "/quit" | "/exit" => return Ok(false),
        "/stop" => drop(desk.stop(&permit(Action::ChatWrite)?, id).await?),
        "" => {}
        text => drop(desk.say(&permit(Action::ChatWrite)?, id, text).await?),
    }
    Ok(true)
}

fn one_line(row: &CallRow) -> String {
    let what = row.effects.as_ref().and_then(|effects| effects["summary"].as_str());
    let what = what.map_or_else(String::new, |what| format!(" — {what}"));
    format!("{}{what}", row.call.tool)
}

/// A call that waits, drawn from its typed arguments.
fn card(row: &CallRow) {
    let arguments: serde_json::Value = serde_json::from_str(&row.call.arguments).unwrap_or_default();
    let text =
        |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', "\n  │ ");
    let scope = row.call.scope.map_or_else(String::new, |scope| format!("{scope}: {}", scope.text()));
    ui::answer(&format!("  ┌ {}\n  │ needs {scope}\n  │ {}", one_line(row), text(&arguments)));
    if let Some(would) = row.effects.as_ref().and_then(|effects| effects.get("would")) {
        ui::answer(&format!("  │ would: {}", text(would)));
    }
    if let Some(warning) = row.effects.as_ref().and_then(|effects| effects["warning"].as_str()) {
        ui::answer(&format!("  │ warning: {warning}"));
    }
    ui::answer("  └");
}

/// Why leave that was given does not cover a call, where that is not plain to see.
fn stale(talk: &Conversation, row: &CallRow) -> Option<&'static str> {
    let read = talk.session.untrusted_at?;
    let gave = |given: &&tuner_store::GrantRow| {
        let grant = &given.grant;
        Some(grant.scope) == row.call.scope && grant.created_at <= read && grant.is_live(row.call.proposed_at)
    };
    let why = "  (asked again: since you gave leave, text that others wrote was read)";
    talk.grants.iter().any(|given| gave(&given)).then_some(why)
}

/// The lines that a person types.
fn lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    // It blocks in a read; the process ends without it.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn prompt(text: &str) {
    if std::io::stdin().is_terminal() {
        print(text);
    }
}

/// Writes a piece without an end of line.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: then nobody misses it.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
