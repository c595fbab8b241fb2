//! OpenAI's chat completions, as OpenAI and everyone who copies it speak it.

pub(crate) mod body;
pub(crate) mod stream;
