//! Why the simulated engine does not start, in the words and log lines of the engines it imitates.

use tuner_core::{Failure, FailureClass};

/// A start that fails.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SimError {
    /// The task names an engine whose flags are not simulated.
    #[error("the simulator speaks the flags of vllm and sglang, not of {engine}")]
    UnknownEngine {
        /// Engine asked for.
        engine: String,
    },
    /// No such GPU in the table.
    #[error("argument --gpu: invalid choice: {name:?} (choose from {known})")]
    UnknownGpu {
        /// Name asked for.
        name: String,
        /// Names that exist.
        known: String,
    },
    /// No such model in the table.
    #[error("unknown model {name:?}; known: {known}")]
    UnknownModel {
        /// Name asked for.
        name: String,
        /// Names that exist.
        known: String,
    },
    /// A flag that neither engine has, or that the simulator does not know.
    #[error("unrecognized arguments: --{name}{}", nearest.as_ref().map(|n| format!(" (did you mean --{n}?)")).unwrap_or_default())]
    UnknownFlag {
        /// Flag as given.
        name: String,
        /// The most similar flag.
        nearest: Option<String>,
    },
    /// A value that the flag does not take.
    #[error("argument --{flag}: invalid value: {value:?} ({allowed})")]
    InvalidValue {
        /// Flag as given.
        flag: String,
        /// Value as given.
        value: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// Nothing says what to serve.
    #[error("the following arguments are required: --model")]
    NoModel,
    /// One knob set by two names, or a combination that the engine refuses when it checks its arguments.
    #[error("{message}")]
    Arguments {
        /// The engine's message.
        message: String,
    },
    /// The parallel sizes need more GPUs than there are.
    #[error("world size ({needed}) is larger than the number of available gpus ({present})")]
    TooFewGpus {
        /// Product of the parallel sizes.
        needed: u32,
        /// GPUs of the simulated machine.
        present: u32,
    },
    /// A combination that dies while the engine builds the model.
    #[error("{message}")]
    Incompatible {
        /// The engine's message.
        message: String,
    },
    /// Weights, activations and graphs leave no room.
    #[error(
        "cuda out of memory while loading: {needed_gib:.2} GiB needed per gpu, {available_gib:.2} GiB of \
         {total_gib:.2} GiB usable"
    )]
    OutOfMemory {
        /// Needed per GPU.
        needed_gib: f64,
        /// Usable per GPU under the memory fraction.
        available_gib: f64,
        /// Total per GPU.
        total_gib: f64,
    },
    /// The cache cannot hold one sequence of the full context.
    #[error(
        "to serve at least one request with the model's max seq len ({max_model_len}), {needed_gib:.2} GiB KV cache is \
         needed, which is larger than the available KV cache memory ({available_gib:.2} GiB); the estimated maximum \
         model length is {longest}"
    )]
    CacheTooSmall {
        /// Context length asked for.
        max_model_len: u32,
        /// Cache bytes of one such sequence per GPU, in GiB.
        needed_gib: f64,
        /// Cache bytes there are per GPU, in GiB.
        available_gib: f64,
        /// Longest context that fits.
        longest: u32,
    },
}

impl SimError {
    /// Its class.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::UnknownEngine { .. }
            | Self::UnknownGpu { .. }
            | Self::UnknownFlag { .. }
            | Self::InvalidValue { .. }
            | Self::NoModel
            | Self::Arguments { .. }
            | Self::TooFewGpus { .. } => FailureClass::EngineArguments,
            Self::UnknownModel { .. } => FailureClass::ModelMissing,
            Self::Incompatible { .. } => FailureClass::EngineCrash,
            Self::OutOfMemory { .. } | Self::CacheTooSmall { .. } => FailureClass::OomLoad,
        }
    }

    /// Exit status of the process: 2 as argparse for refused arguments, else 1.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::UnknownFlag { .. } | Self::InvalidValue { .. } | Self::UnknownGpu { .. } | Self::NoModel => 2,
            _ => 1,
        }
    }

    /// What the engine would have logged last, oldest first.
    pub fn log_lines(&self) -> Vec<String> {
        match self {
            Self::UnknownFlag { .. } | Self::InvalidValue { .. } | Self::UnknownGpu { .. } | Self::NoModel => vec![
                "usage: autotuner sim-engine [-h] [--model MODEL] [--gpu GPU] [--max-num-seqs N] ...".to_owned(),
                format!("autotuner sim-engine: error: {self}"),
            ],
            Self::UnknownModel { .. } => vec![format!("FileNotFoundError: {self}")],
            Self::OutOfMemory { needed_gib, available_gib, total_gib } => traceback(
                "engine_core.py\", line 386, in _initialize_kv_caches",
                &format!(
                    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {needed_gib:.2} GiB. GPU 0 has a \
                     total capacity of {total_gib:.2} GiB of which {:.2} GiB is free.",
                    available_gib.max(0.0)
                ),
            ),
            Self::CacheTooSmall { max_model_len, needed_gib, available_gib, longest } => traceback(
                "kv_cache_utils.py\", line 685, in check_enough_kv_cache_memory",
                &format!(
                    "ValueError: To serve at least one request with the models's max seq len ({max_model_len}), \
                     ({needed_gib:.2} GiB KV cache is needed, which is larger than the available KV cache memory \
                     ({available_gib:.2} GiB). Based on the available memory, the estimated maximum model length is \
                     {longest}. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when \
                     initializing the engine."
                ),
            ),
            Self::Incompatible { message } => {
                traceback("gpu_model_runner.py\", line 2011, in load_model", &format!("RuntimeError: {message}"))
            }
            _ => traceback("arg_utils.py\", line 1170, in create_engine_config", &format!("ValueError: {self}")),
        }
    }

    /// The failure that an experiment records.
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.to_string()).with_log(self.log_lines())
    }
}

/// A traceback in the shape that exit classifiers meet in real logs.
pub(crate) fn traceback(frame: &str, last: &str) -> Vec<String> {
    vec![
        "(EngineCore pid=1) ERROR EngineCore failed.".to_owned(),
        "(EngineCore pid=1) ERROR Traceback (most recent call last):".to_owned(),
        format!("(EngineCore pid=1) ERROR   File \"{frame}"),
        format!("(EngineCore pid=1) ERROR {last}"),
        last.to_owned(),
    ]
}
