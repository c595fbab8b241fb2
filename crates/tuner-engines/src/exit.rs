//! Why an engine ended: the first rule that its log, exit code or signal satisfies.
//!
//! *Invariant*: rules are ordered from the specific to the general, so that a root cause deep in the log wins over
//! the wrapper error that engines print last.

use tuner_core::{Failure, FailureClass};

/// How many of the last lines of a log are worth looking at: a root cause stands above the tracebacks of every process
/// that fell with it.
pub const LOOKED_AT: usize = 300;
/// How many of the last lines stay with the failure.
const KEPT: usize = 40;

/// How far the engine had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitPhase {
    /// Before it answered for the first time.
    Load,
    /// While it was under load.
    Serve,
}

/// What is known about an ended engine.
#[derive(Clone, Copy, Debug)]
pub struct ExitReport<'a> {
    /// Exit code, if it exited.
    pub exit_code: Option<i32>,
    /// Signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Last lines of its log, oldest first, at most [`LOOKED_AT`].
    pub log_tail: &'a [String],
    /// How far it had come.
    pub phase: ExitPhase,
}

/// One line that has all of `all` (lower case) means `class`; out-of-memory classes follow the phase.
struct Rule {
    all: &'static [&'static str],
    class: FailureClass,
}

const fn rule(class: FailureClass, all: &'static [&'static str]) -> Rule {
    Rule { all, class }
}

use FailureClass::{
    EngineArguments, EngineCrash, EngineMissing, HubAccess, ModelMissing, MultiGpuInit, OomLoad, PortConflict,
};

const RULES: &[Rule] = &[
    // Arguments: argparse, click, llama.cpp, engine validation.
    rule(EngineArguments, &["error: unrecognized arguments"]),
    rule(EngineArguments, &["error: argument", "invalid"]),
    rule(EngineArguments, &["error: argument", "expected"]),
    rule(EngineArguments, &["error: ambiguous option"]),
    rule(EngineArguments, &["error: no such option"]),
    rule(EngineArguments, &["error: invalid value for"]),
    rule(EngineArguments, &["error: unexpected argument"]),
    rule(EngineArguments, &["error: invalid argument:"]),
    rule(EngineArguments, &["error while handling argument"]),
    rule(EngineArguments, &["error: the following arguments are required"]),
    // Port.
    rule(PortConflict, &["address already in use"]),
    rule(PortConflict, &["couldn't bind http server socket"]),
    rule(PortConflict, &["could not bind on any address"]),
    rule(PortConflict, &["failed to bind", "port"]),
    rule(PortConflict, &["port", "is already in use"]),
    // GPU memory.
    rule(OomLoad, &["cuda out of memory"]),
    rule(OomLoad, &["torch.outofmemoryerror"]),
    rule(OomLoad, &["hip out of memory"]),
    rule(OomLoad, &["cuda error", "out of memory"]),
    rule(OomLoad, &["cudamalloc failed", "out of memory"]),
    rule(OomLoad, &["failed to allocate", "buffer"]),
    rule(OomLoad, &["unable to allocate", "buffer"]),
    rule(OomLoad, &["no available memory for the cache blocks"]),
    rule(OomLoad, &["free memory on device", "less than desired"]),
    rule(OomLoad, &["larger than the available kv cache memory"]),
    rule(OomLoad, &["larger than the maximum number of tokens that can be stored in kv cache"]),
    rule(OomLoad, &["kv cache is needed", "available kv cache memory"]),
    rule(OomLoad, &["not enough memory", "mem-fraction-static"]),
    rule(OomLoad, &["not enough memory. please try"]),
    rule(OomLoad, &["insufficient memory", "kv cache"]),
    // Host memory.
    rule(OomLoad, &["std::bad_alloc"]),
    rule(OomLoad, &["cannot allocate memory"]),
    rule(OomLoad, &["can't allocate memory"]),
    rule(OomLoad, &["defaultcpuallocator", "allocate"]),
    rule(OomLoad, &["memoryerror"]),
    rule(OomLoad, &["oom-kill"]),
    // Hub.
    rule(HubAccess, &["gatedrepoerror"]),
    rule(HubAccess, &["cannot access gated repo"]),
    rule(HubAccess, &["401 client error"]),
    rule(HubAccess, &["403 client error"]),
    rule(HubAccess, &["repositorynotfounderror"]),
    rule(HubAccess, &["is not a valid model identifier"]),
    rule(HubAccess, &["maxretryerror", "huggingface"]),
    rule(HubAccess, &["we couldn't connect to"]),
    rule(HubAccess, &["failed to resolve 'huggingface"]),
    rule(HubAccess, &["couldn't reach", "huggingface"]),
    // Model files.
    rule(ModelMissing, &["failed to open gguf file"]),
    rule(ModelMissing, &["localentrynotfounderror"]),
    rule(ModelMissing, &["offlinemodeisenabled"]),
    rule(ModelMissing, &["outgoing traffic has been disabled"]),
    rule(ModelMissing, &["cannot find any model weights"]),
    rule(ModelMissing, &["does not appear to have"]),
    rule(ModelMissing, &["no safetensors", "found"]),
    rule(ModelMissing, &["no such file or directory", ".safetensors"]),
    rule(ModelMissing, &["no such file or directory", ".gguf"]),
    rule(ModelMissing, &["no such file or directory", "config.json"]),
    rule(ModelMissing, &["filenotfounderror", "model"]),
    rule(ModelMissing, &["safetensorerror"]),
    rule(ModelMissing, &["invalid magic characters"]),
    rule(ModelMissing, &["tensor", "is not within the file bounds"]),
    rule(ModelMissing, &["model file not found"]),
    rule(ModelMissing, &["invalid repository id or local directory"]),
    rule(ModelMissing, &["repo id must be in the form"]),
    // Not installed or not installable here.
    rule(EngineMissing, &["modulenotfounderror"]),
    rule(EngineMissing, &["importerror:"]),
    rule(EngineMissing, &["error while loading shared libraries"]),
    rule(EngineMissing, &["command not found"]),
    rule(EngineMissing, &["driver/library version mismatch"]),
    rule(EngineMissing, &["no cuda gpus are available"]),
    rule(EngineMissing, &["found no nvidia driver"]),
    // Several GPUs.
    rule(MultiGpuInit, &["nccl error"]),
    rule(MultiGpuInit, &["ncclunhandled"]),
    rule(MultiGpuInit, &["ncclsystemerror"]),
    rule(MultiGpuInit, &["ncclinternalerror"]),
    rule(MultiGpuInit, &["ncclinvalidusage"]),
    rule(MultiGpuInit, &["nccl warn", "error"]),
    rule(MultiGpuInit, &["distbackenderror"]),
    rule(MultiGpuInit, &["watchdog caught collective operation timeout"]),
    // Validation by the engine's own code.
    rule(EngineArguments, &["validation error for"]),
    rule(EngineArguments, &["must be divisible by"]),
    rule(EngineArguments, &["is greater than the derived max_model_len"]),
    rule(EngineArguments, &["max_num_batched_tokens", "must be"]),
    rule(EngineArguments, &["max_num_batched_tokens", "is smaller than max_model_len"]),
    rule(EngineArguments, &["is larger than the number of available gpus"]),
    rule(EngineArguments, &["set the same thing"]),
    rule(EngineArguments, &["llama_init_from_model:", "requires"]),
    rule(EngineArguments, &["llama_init_from_model:", "must"]),
    rule(EngineArguments, &["sim-engine: error:"]),
    rule(EngineArguments, &["valueerror:"]),
    rule(EngineCrash, &["segmentation fault"]),
    rule(EngineCrash, &["core dumped"]),
    rule(EngineCrash, &["ggml_assert"]),
    rule(EngineCrash, &["illegal memory access"]),
    rule(EngineCrash, &["assertionerror"]),
    rule(EngineCrash, &["terminate called after throwing"]),
];

/// Lines that only say that some other line is the reason.
const WRAPPERS: &[&str] = &[
    "see root cause above",
    "see stack trace for root cause",
    "failed core proc",
    "process group has not been destroyed",
];

/// What SGLang's parent says when one of its processes has died of whatever reason; then it kills all, itself included.
const OWN_END: &[&str] = &["sigquit received", "received sigquit from a child process"];

/// What was decided.
struct Cause {
    class: FailureClass,
    message: String,
    /// Place in the log of the line that decided.
    line: Option<usize>,
}

/// Decides the class. The message holds the line that proves it, and so does the log that is kept.
pub fn classify(report: &ExitReport<'_>) -> Failure {
    let Cause { class, message, line } = decide(report);
    let first = report.log_tail.len().saturating_sub(KEPT);
    let mut kept = report.log_tail[first..].to_vec();
    if let Some(line) = line.filter(|line| *line < first) {
        if line + 1 < first {
            kept.insert(0, "…".to_owned());
        }
        kept.insert(0, report.log_tail[line].clone());
    }
    Failure::new(class, message).with_log(kept)
}

fn decide(report: &ExitReport<'_>) -> Cause {
    let first_kept = report.log_tail.len().saturating_sub(KEPT);
    // Far from the end, what the engine itself calls a remark is none of the reasons.
    let lines: Vec<(usize, String, &str)> = (report.log_tail.iter().enumerate())
        .filter(|(at, line)| *at >= first_kept || !is_remark(line))
        .map(|(at, line)| (at, line.to_ascii_lowercase(), line.as_str()))
        .collect();
    for rule in RULES {
        let hit = lines.iter().rev().find(|(_, low, _)| rule.all.iter().all(|part| low.contains(part)));
        if let Some((at, _, line)) = hit {
            let class = by_phase(rule.class, report.phase);
            let mut message = shorten(bare(line));
            if rule.class == ModelMissing {
                let files = file_names(report.log_tail.iter().map(String::as_str));
                if !files.is_empty() && !files.iter().all(|f| message.contains(f.as_str())) {
                    message = format!("{message} (files named: {})", files.join(", "));
                }
            }
            return Cause { class, message, line: Some(*at) };
        }
    }
    if lines.iter().any(|(_, low, _)| OWN_END.iter().any(|words| low.contains(words))) {
        let unexplained = !report.log_tail.iter().any(|line| is_exception(bare(line)));
        let ranks = lines.iter().any(|(_, low, _)| names_a_rank(low));
        let class = if unexplained || ranks { MultiGpuInit } else { EngineCrash };
        return last_words(report, class, "a process of the engine died and it ended itself");
    }
    // 137 is how a shell reports SIGKILL of its child.
    if report.signal == Some(9) || report.exit_code == Some(137) {
        let message = "killed by SIGKILL, which nobody here sent: most likely the kernel was out of memory".to_owned();
        return Cause { class: by_phase(OomLoad, report.phase), message, line: None };
    }
    if report.exit_code == Some(127) || report.exit_code == Some(126) {
        return last_words(report, EngineMissing, "the program could not be executed");
    }
    let how = match (report.exit_code, report.signal) {
        (_, Some(signal)) => format!("ended by {}", signal_name(signal)),
        (Some(code), None) => format!("exited with code {code}"),
        (None, None) => "ended without a status".to_owned(),
    };
    let class = if report.signal == Some(3) { MultiGpuInit } else { EngineCrash };
    last_words(report, class, &how)
}

fn by_phase(class: FailureClass, phase: ExitPhase) -> FailureClass {
    match (class, phase) {
        (OomLoad, ExitPhase::Serve) => FailureClass::OomRun,
        // It had accepted its arguments long before.
        (EngineArguments, ExitPhase::Serve) => EngineCrash,
        (class, _) => class,
    }
}

/// How it ended, and the last exception that is no wrapper, else the last line that looks like an error.
fn last_words(report: &ExitReport<'_>, class: FailureClass, how: &str) -> Cause {
    let lines = || report.log_tail.iter().map(|line| bare(line)).enumerate().rev();
    let wrapper = |line: &str| WRAPPERS.iter().any(|w| line.to_ascii_lowercase().contains(w));
    let exception = lines().find(|(_, line)| is_exception(line) && !wrapper(line));
    let telling = exception.or_else(|| {
        lines().take(KEPT).filter(|(_, line)| !line.starts_with("raise ") && !wrapper(line)).find(|(_, line)| {
            let low = line.to_ascii_lowercase();
            ["error", "exception", "fatal", "failed"].iter().any(|word| low.contains(word))
        })
    });
    match telling {
        Some((at, line)) => Cause { class, message: format!("{how}: {}", shorten(line)), line: Some(at) },
        None => Cause { class, message: how.to_owned(), line: None },
    }
}

/// Whether SGLang marked the line (lower case) as one of several ranks': `[2026-11-27 02:36:59 tp1] …`.
fn names_a_rank(line: &str) -> bool {
    let mark = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(mark, _)| mark);
    mark.split(' ').any(|word| {
        ["tp", "pp", "dp", "ep"]
            .iter()
            .any(|kind| word.strip_prefix(kind).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())))
    })
}

/// Whether the engine marked the line as less than an error.
fn is_remark(line: &str) -> bool {
    let level = |word: &str| matches!(word.split(':').next(), Some("DEBUG" | "INFO" | "WARNING"));
    line.split_whitespace().take(4).any(level)
}

/// The last line of a Python traceback: `ValueError: No common block size`.
fn is_exception(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(name, text)| {
        let words = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
        words && (name.ends_with("Error") || name.ends_with("Exception")) && !text.trim().is_empty()
    })
}

/// A log line without the engine's prefixes: process, level, time, source.
fn bare(line: &str) -> &str {
    let mut rest = line.trim();
    loop {
        let before = rest;
        for (open, close) in [('(', ')'), ('[', ']')] {
            if let Some(inside) = rest.strip_prefix(open)
                && let Some((tag, tail)) = inside.split_once(close)
                && tag.len() < 60
            {
                rest = tail.trim_start();
            }
        }
        for level in ["ERROR", "CRITICAL", "WARNING", "INFO"] {
            if let Some(tail) = rest.strip_prefix(level)
                && tail.starts_with([' ', ':'])
            {
                rest = tail.trim_start_matches([':', ' ']);
            }
        }
        rest = skip_time(rest);
        if rest == before {
            return rest;
        }
    }
}

/// `11-22 10:01:51 …` (vLLM) and `0.00.470.819 E srv …` (llama.cpp) without the time and the level's letter.
fn skip_time(text: &str) -> &str {
    let Some((first, tail)) = text.split_once(' ') else { return text };
    let clock = first.len() >= 5 && first.chars().all(|c| c.is_ascii_digit() || ".:-".contains(c));
    if !clock {
        return text;
    }
    let tail = tail.trim_start();
    ["E ", "W ", "I "].iter().find_map(|level| tail.strip_prefix(level)).unwrap_or(tail)
}

fn shorten(line: &str) -> String {
    if line.chars().count() <= 300 {
        return line.to_owned();
    }
    let cut: String = line.chars().take(299).collect();
    format!("{cut}…")
}

fn file_names<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in lines.filter(|l| {
        let low = l.to_ascii_lowercase();
        low.contains("no such file")
            || low.contains("not found")
            || low.contains("missing")
            || low.contains("not appear")
    }) {
        for word in line.split([' ', '\'', '"', '`', ',', '(', ')', '[', ']']) {
            let word = word.trim_end_matches(['.', ':', ';']);
            let model_file = [".safetensors", ".gguf", ".bin", ".json", ".model"].iter().any(|e| word.ends_with(e));
            let name = word.rsplit('/').next().unwrap_or(word);
            if model_file && !name.starts_with('*') && !out.iter().any(|n| n == name) {
                out.push(name.to_owned());
            }
        }
    }
    out.truncate(12);
    out
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL (an instruction this CPU lacks)",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
