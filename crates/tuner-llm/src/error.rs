//! What goes wrong with a chat model: whose fault, whether trying again helps, what to do.
//!
//! *Invariant*: no variant holds a key; what a server said is cleaned and cut before it comes here.

use std::time::Duration;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LlmError {
    /// Nothing was sent: a setting is missing or wrong.
    #[error("{what}")]
    Settings {
        /// What is wrong.
        what: String,
        /// What to set.
        hint: String,
    },
    /// No connection, or it broke before the answer began.
    #[error("no answer from {host} in {tries} tries: {why}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The last try's error.
        why: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The server said nothing for too long.
    #[error("{host} sent nothing for {:.0} s{}", .waited.as_secs_f64(), after(.after_output))]
    Silent {
        /// Host and port.
        host: String,
        /// The limit that was reached.
        waited: Duration,
        /// Part of the answer had been given out.
        after_output: bool,
    },
    /// The key was refused.
    #[error("the key was refused with {status}: {said}")]
    Unauthorised {
        /// 401 or 403.
        status: u16,
        /// The server's words.
        said: String,
    },
    /// The server does not have the model.
    #[error("the server does not know the model {model:?}: {said}")]
    ModelUnknown {
        /// The name that was sent.
        model: String,
        /// The server's words.
        said: String,
    },
    /// The conversation does not fit into the model's window.
    #[error("the conversation is too long for the model: {said}")]
    TooLong {
        /// The server's words.
        said: String,
    },
    /// Too many requests, up to the last try.
    #[error("the server limits requests ({tries} tries): {said}")]
    Limited {
        /// When to ask again, if the server said so.
        retry_after: Option<Duration>,
        /// How often it was tried.
        tries: u32,
        /// The server's words.
        said: String,
    },
    /// Nothing is left to pay with.
    #[error("the account's quota is used up: {said}")]
    Quota {
        /// The server's words.
        said: String,
    },
    /// The server failed, up to the last try.
    #[error("the server failed with {status} in {tries} tries: {said}")]
    ServerFailed {
        /// Its status.
        status: u16,
        /// How often it was tried.
        tries: u32,
        /// The server's words.
        said: String,
    },
    /// The server does not take the request as it is.
    #[error("the server refused the request with {status}: {said}")]
    Refused {
        /// Its status.
        status: u16,
        /// The server's words.
        said: String,
    },
    /// The answer broke off, or the server reported an error in the middle of it.
    #[error("the answer broke off{}: {why}", after(.after_output))]
    Interrupted {
        /// What happened.
        why: String,
        /// Part of the answer had been given out, so it was not asked again.
        after_output: bool,
        /// How often it was tried.
        tries: u32,
    },
    /// Something answers, but not in the protocol.
    #[error("{host} does not answer in the protocol: {why}")]
    Unreadable {
        /// Host and port.
        host: String,
        /// What came instead.
        why: String,
    },
    /// The model did not keep to the schema, and again not when it was told so.
    #[error("the model does not keep to the answer's form: {why}")]
    OffSchema {
        /// What is wrong with its last answer.
        why: String,
    },
}

fn after(output: &bool) -> &'static str {
    if *output { " after part of the answer had come" } else { "" }
}

/// Who can change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The person who set the provider up.
    Settings,
    /// The way to the server.
    Network,
    /// The server.
    Provider,
    /// The model.
    Model,
    /// What we asked.
    Request,
}

impl LlmError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Settings { .. } | Self::Unauthorised { .. } | Self::ModelUnknown { .. } | Self::Quota { .. } => {
                Fault::Settings
            }
            Self::Unreachable { .. } => Fault::Network,
            Self::Silent { .. }
            | Self::Limited { .. }
            | Self::ServerFailed { .. }
            | Self::Interrupted { .. }
            | Self::Unreadable { .. } => Fault::Provider,
            Self::TooLong { .. } | Self::Refused { .. } => Fault::Request,
            Self::OffSchema { .. } => Fault::Model,
        }
    }

    /// Whether the same question may be answered later, with nothing changed.
    pub fn again_helps(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Limited { .. }
            | Self::ServerFailed { .. }
            | Self::Interrupted { .. }
            | Self::OffSchema { .. } => true,
            Self::Settings { .. }
            | Self::Unauthorised { .. }
            | Self::ModelUnknown { .. }
            | Self::TooLong { .. }
            | Self::Quota { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// Whether part of the answer had been given out.
    pub fn after_output(&self) -> bool {
        matches!(self, Self::Silent { after_output: true, .. } | Self::Interrupted { after_output: true, .. })
    }

    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "model_settings",
            Self::Unreachable { .. } => "model_unreachable",
            Self::Silent { .. } => "model_silent",
            Self::Unauthorised { .. } => "model_unauthorised",
            Self::ModelUnknown { .. } => "model_unknown",
            Self::TooLong { .. } => "context_too_long",
            Self::Limited { .. } => "model_limited",
            Self::Quota { .. } => "model_quota",
            Self::ServerFailed { .. } => "model_failed",
            Self::Refused { .. } => "model_refused",
            Self::Interrupted { .. } => "model_interrupted",
            Self::Unreadable { .. } => "model_unreadable",
            Self::OffSchema { .. } => "model_off_schema",
        }
    }

    /// What to do.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Settings { hint, .. } => return hint.clone(),
            Self::Unreachable { .. } => {
                "check that the server runs, AGENT_BASE_URL, and the proxy settings of this machine"
            }
            Self::Silent { after_output: false, .. } => {
                "the server may be loading the model or be overloaded: look at its log, then ask again"
            }
            Self::Silent { .. } | Self::Interrupted { .. } => "ask again; what came so far is kept",
            Self::Unauthorised { .. } => "set AGENT_API_KEY to a key of this provider that may use the model",
            Self::ModelUnknown { .. } => "set AGENT_MODEL to a name that the server lists",
            Self::TooLong { .. } => "shorten the conversation, or use a model with a larger window",
            Self::Limited { retry_after: Some(after), .. } => {
                return format!("ask again in {:.0} s", after.as_secs_f64().ceil());
            }
            Self::Limited { .. } => "ask again in a minute, or raise the account's limits",
            Self::Quota { .. } => "add credit to the provider's account, or use another one",
            Self::ServerFailed { .. } => "look at the server's log or its status page, then ask again",
            Self::Refused { status: 300..=399, .. } => "set AGENT_BASE_URL to the address that this one leads to",
            Self::Refused { status: 404, .. } => "check AGENT_BASE_URL: nothing answers at that path",
            Self::Refused { .. } => "read what the server said; a setting may not fit this model",
            Self::Unreadable { .. } => {
                "check AGENT_BASE_URL: it should lead to the API, not to a web page, and end in /v1"
            }
            Self::OffSchema { .. } => "ask again, or use a model that can call tools",
        };
        text.to_owned()
    }
}
