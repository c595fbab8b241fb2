//! The simulated engine: a model on a machine under flags, checked and planned. Evaluating it is pure.

use std::time::Duration;

use tuner_core::engine::EngineName;
use tuner_core::task::{EngineSpec, ModelSpec};
use tuner_core::{Configuration, Value};

use crate::cost::{StepCost, Work};
use crate::error::SimError;
use crate::flags::{Dialect, Flags, Quantization};
use crate::hardware::{GPUS, Gpu};
use crate::memory::{Plan, weights_bytes, weights_per_gpu};
use crate::models::{Architecture, MODELS};

/// GPU that is simulated when the task names none.
pub const DEFAULT_GPU: &str = "h100-80g";

/// An engine that would have started: model, hardware, flags and what follows from them.
#[derive(Clone, Debug, PartialEq)]
pub struct SimEngine {
    model: &'static Architecture,
    gpu: &'static Gpu,
    gpus: u32,
    name: String,
    flags: Flags,
    plan: Plan,
    cost: StepCost,
    boots: bool,
}

/// GPU and number of GPUs that a task names.
fn hardware(engine: &EngineSpec) -> (&str, u32) {
    engine.hardware.as_ref().map_or((DEFAULT_GPU, 1), |h| (h.gpu.as_str(), h.count))
}

impl SimEngine {
    /// The engine that a task describes: `engine.fixed` overlaid by the configuration, on `engine.hardware`.
    ///
    /// # Errors
    /// Whatever would keep the real engine from starting; [`SimError::failure`] has its class and last log lines.
    pub fn new(model: &ModelSpec, engine: &EngineSpec, configuration: &Configuration) -> Result<Self, SimError> {
        let flags = Self::read_flags(model, engine, configuration)?;
        let (gpu, count) = hardware(engine);
        Self::from_flags(model.source(), gpu, count, flags)
    }

    /// Bytes of the weights that each GPU would hold, the share of its memory that the flags leave them, and the GPU;
    /// `None` where the model, the GPU or a flag is not known.
    pub fn weights(
        model: &ModelSpec,
        engine: &EngineSpec,
        configuration: &Configuration,
    ) -> Option<(f64, f64, &'static Gpu)> {
        let flags = Self::read_flags(model, engine, configuration).ok()?;
        let bytes = weights_per_gpu(Architecture::named(model.source())?, &flags);
        Some((bytes, flags.memory_fraction.unwrap_or(1.0), Gpu::named(hardware(engine).0)?))
    }

    fn read_flags(model: &ModelSpec, engine: &EngineSpec, configuration: &Configuration) -> Result<Flags, SimError> {
        let dialect = match engine.name {
            EngineName::Vllm => Some(Dialect::Vllm),
            EngineName::Sglang => Some(Dialect::Sglang),
            EngineName::Simulated => None,
            other => return Err(SimError::UnknownEngine { engine: other.to_string() }),
        };
        let flags = Configuration(engine.fixed.clone()).overlaid(configuration);
        let mut flags = Flags::read(dialect, flags.iter())?;
        if flags.served_model_name.is_none() {
            flags.served_model_name.clone_from(&model.served_name);
        }
        Ok(flags)
    }

    /// The engine under flags that were read already.
    ///
    /// # Errors
    /// As [`SimEngine::new`].
    pub fn from_flags(model: &str, gpu: &str, gpus: u32, flags: Flags) -> Result<Self, SimError> {
        let architecture = Architecture::named(model).ok_or_else(|| SimError::UnknownModel {
            name: model.to_owned(),
            known: MODELS.iter().map(|m| m.name).collect::<Vec<_>>().join(", "),
        })?;
        let device = Gpu::named(gpu).ok_or_else(|| SimError::UnknownGpu {
            name: gpu.to_owned(),
            known: GPUS.iter().map(|g| g.name).collect::<Vec<_>>().join(", "),
        })?;
        let plan = Plan::new(architecture, device, gpus, &flags)?;
        let cost = StepCost::new(architecture, device, &flags, &plan);
        Ok(Self { model: architecture, gpu: device, gpus, name: model.to_owned(), flags, plan, cost, boots: true })
    }

    /// The model's dimensions.
    pub fn model(&self) -> &'static Architecture {
        self.model
    }

    /// The GPU.
    pub fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    /// GPUs of the machine.
    pub fn gpus(&self) -> u32 {
        self.gpus
    }

    /// The knobs as asked for.
    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    /// The knobs as resolved.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Model id or path as given.
    pub fn model_id(&self) -> &str {
        &self.name
    }

    /// The name that clients ask for.
    pub fn served_name(&self) -> &str {
        self.flags.served_model_name.as_deref().unwrap_or(&self.name)
    }

    /// The same engine on a GPU with `factor` times the memory bandwidth (what-if questions, tests).
    pub fn with_bandwidth(mut self, factor: f64) -> Self {
        let gpu = Gpu { bandwidth: self.gpu.bandwidth * factor, ..self.gpu.clone() };
        self.cost = StepCost::new(self.model, &gpu, &self.flags, &self.plan);
        self
    }

    /// The same engine without noise.
    pub fn without_noise(mut self) -> Self {
        self.flags.noise = 0.0;
        self
    }

    /// The same engine, ready as soon as it is launched.
    pub fn without_startup(mut self) -> Self {
        self.boots = false;
        self
    }

    /// Seconds of one step without noise.
    pub fn step_s(&self, work: &Work) -> f64 {
        self.cost.step_s(work)
    }

    /// From launch to "ready": boot, weights from disk, quantisation on the fly, memory profile, compilation, graphs.
    pub fn startup(&self) -> Duration {
        if !self.boots {
            return Duration::ZERO;
        }
        let stored = match self.flags.quantization {
            Quantization::Int4 => weights_bytes(self.model, &self.flags),
            _ => 2.0 * (self.model.common_parameters() + self.model.routed_parameters()),
        } + 2.0 * self.model.embedding_parameters();
        let load = stored / self.gpu.load_bandwidth;
        let quantise = match self.flags.quantization {
            Quantization::None | Quantization::Int4 => 0.0,
            _ => stored / 10e9,
        };
        let layers = f64::from(self.model.layers) / f64::from(self.flags.pp);
        let compile = if self.flags.eager || self.flags.dialect == Dialect::Sglang { 0.0 } else { 4.0 + 0.2 * layers };
        let graphs = match self.plan.graph_max_batch {
            0 => 0.0,
            most => (4.0 + f64::from(most) / 8.0) * 0.002 * layers,
        };
        let ranks = f64::from(self.flags.tp * self.flags.pp * self.flags.dp);
        let connect = 2.0 * ranks.log2();
        let seconds = self.gpu.boot_s + load + quantise + 1.5 + compile + graphs + connect;
        Duration::from_secs_f64(seconds + self.flags.faults.slow_start_s)
    }

    /// The arguments in force: the resolved ones under the dialect's names, and everything that was given, as given.
    pub fn arguments(&self) -> Vec<(String, Value)> {
        let mut out: Vec<(String, Value)> =
            self.plan.arguments(&self.flags).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (name, value) in &self.flags.given {
            if !out.iter().any(|(n, _)| n == name) {
                out.push((name.clone(), value.clone()));
            }
        }
        out
    }

    /// The lines that an engine logs between launch and "ready", oldest first.
    pub fn startup_log(&self) -> Vec<String> {
        const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
        let plan = &self.plan;
        let given: Vec<String> = self
            .flags
            .given
            .iter()
            .map(|(name, value)| format!("'{}': {}", name.replace('-', "_"), python(value)))
            .collect();
        vec![
            format!("INFO non-default args: {{{}}}", given.join(", ")),
            format!("INFO Initializing engine with model={:?}, gpu={}", self.name, self.gpu.name),
            format!("INFO Using {:?} attention backend.", plan.attention),
            format!("INFO Model loading took {:.2} GiB", plan.weights_bytes / GIB),
            format!(
                "INFO Available KV cache memory: {:.2} GiB",
                plan.cache_tokens() as f64 * plan.kv_bytes_per_token / GIB
            ),
            format!("INFO GPU KV cache size: {} tokens", plan.cache_tokens()),
            format!(
                "INFO Maximum concurrency for {} tokens per request: {:.2}x",
                plan.max_model_len,
                plan.cache_tokens() as f64 / f64::from(plan.max_model_len)
            ),
            format!("INFO Graph capturing finished, took {:.2} GiB", plan.graph_bytes / GIB),
        ]
    }
}

/// A value as Python prints it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(_) | Value::Float(_) => value.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
    }
}
