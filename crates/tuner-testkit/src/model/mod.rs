//! A chat model that says what a script tells it, over the real protocols of OpenAI and Anthropic.
//!
//! *Invariant*: it answers nothing that the script does not hold. A request that fits no turn gets a 400 and fails
//! [`ScriptedModel::assert_complete`].
//!
//! ```
//! use tuner_testkit::model::{Script, ScriptedModel, Turn, When};
//!
//! let script = Script::new()
//!     .turn(Turn::call("list_tasks", "{}").when(When::user("what runs?")))
//!     .turn(Turn::text("Nothing runs.").when(When::result("list_tasks", "[]")));
//! let model = ScriptedModel::start(script);
//! assert!(model.base_url().ends_with("/v1"));
//! ```

mod anthropic;
mod bytes_out;
mod openai;
mod say;
mod script;
mod seen;
mod serve;
mod written;
mod yaml;

pub use say::{Call, Cut, End, Say, Shape};
pub use script::{Answer, Script, Turn, When};
pub use seen::Seen;
pub use serve::ScriptedModel;
pub use yaml::parse as yaml;
