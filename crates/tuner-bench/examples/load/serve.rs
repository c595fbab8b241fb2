//! The server's process: prints its address, then serves until its input ends.

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use tuner_testkit::closed_form::{Case, ClosedForm, Plant, PromptTokens, Timetable};

use crate::{number, pin};

pub(crate) fn run(words: &[String]) -> ExitCode {
    pin(words);
    let milliseconds = |name, default| Duration::from_secs_f64(number(words, name).unwrap_or(default) / 1e3);
    let timetable = Timetable {
        case: if words.iter().any(|word| word == "--counts") { Case::ContinuousUsage } else { Case::Clean },
        first: milliseconds("--first-ms", 100.0),
        gap: milliseconds("--gap-ms", 20.0),
        prompt_tokens: PromptTokens::Number,
        plant: Plant::None,
    };
    let server = ClosedForm::start(timetable).expect("a free port");
    println!("{}", server.url());
    // The end of input is the sign to stop, whatever was written before it.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(server);
    ExitCode::SUCCESS
}
