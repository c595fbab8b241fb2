//! The command line of `autotuner sim-engine`, read without touching anything.

use std::collections::BTreeMap;

use tuner_core::Value;

use crate::engine::{DEFAULT_GPU, SimEngine};
use crate::error::SimError;
use crate::flags::{Dialect, Flags};

/// Everything the subcommand was given.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerArgs {
    /// Model id or path; its last part names one of the known models.
    pub model: String,
    /// GPU by name.
    pub gpu: String,
    /// GPUs of the machine.
    pub gpu_count: u32,
    /// Simulated seconds per real second.
    pub speed: f64,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Seed of the noise.
    pub seed: u64,
    /// Whose defaults apply; by default decided by the flags.
    pub dialect: Option<Dialect>,
    /// Engine flags, without leading dashes.
    pub flags: BTreeMap<String, Value>,
}

impl Default for ServerArgs {
    fn default() -> Self {
        Self {
            model: String::new(),
            gpu: DEFAULT_GPU.to_owned(),
            gpu_count: 1,
            speed: 1.0,
            host: "127.0.0.1".to_owned(),
            port: 8000,
            seed: 0,
            dialect: None,
            flags: BTreeMap::new(),
        }
    }
}

impl ServerArgs {
    /// Reads `[MODEL] --name value --name=value --switch …`. Names that are not the server's own are engine flags.
    ///
    /// # Errors
    /// A value that one of the server's own flags does not take, a stray word, or no model.
    pub fn parse<S: AsRef<str>>(args: &[S]) -> Result<Self, SimError> {
        let mut out = Self::default();
        let mut rest = args.iter().map(AsRef::as_ref).peekable();
        if let Some(model) = rest.next_if(|word| !word.starts_with('-')) {
            out.model = model.to_owned();
        }
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix("--") else {
                return Err(SimError::UnknownFlag { name: word.trim_start_matches('-').to_owned(), nearest: None });
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (flag, rest.next_if(|next| !next.starts_with("--"))),
            };
            out.set(&name.replace('_', "-"), value)?;
        }
        if out.model.is_empty() {
            return Err(SimError::NoModel);
        }
        Ok(out)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), SimError> {
        let refuse = |allowed: &str| SimError::InvalidValue {
            flag: name.to_owned(),
            value: value.unwrap_or_default().to_owned(),
            allowed: allowed.to_owned(),
        };
        let text = || value.map(str::to_owned).ok_or_else(|| refuse("a value is needed"));
        match name {
            "model" | "model-path" => self.model = text()?,
            "gpu" => self.gpu = text()?,
            "host" => self.host = text()?,
            "gpu-count" => self.gpu_count = parsed(value).filter(|n| *n > 0).ok_or_else(|| refuse("a whole number"))?,
            "port" => self.port = parsed(value).ok_or_else(|| refuse("a port"))?,
            "seed" => self.seed = parsed(value).ok_or_else(|| refuse("a whole number"))?,
            "speed" => {
                self.speed = parsed(value)
                    .filter(|s: &f64| *s > 0.0 && s.is_finite())
                    .ok_or_else(|| refuse("a number above 0"))?;
            }
            "dialect" => {
                self.dialect = Some(match value {
                    Some("vllm") => Dialect::Vllm,
                    Some("sglang") => Dialect::Sglang,
                    _ => return Err(refuse("choose from vllm, sglang")),
                });
            }
            _ => {
                self.flags.insert(name.to_owned(), value.map_or(Value::Bool(true), typed));
            }
        }
        Ok(())
    }

    /// The engine that these arguments describe.
    ///
    /// # Errors
    /// Whatever would keep the real engine from starting.
    pub fn engine(&self) -> Result<SimEngine, SimError> {
        let flags = Flags::read(self.dialect, self.flags.iter().map(|(name, value)| (name.as_str(), value)))?;
        SimEngine::from_flags(&self.model, &self.gpu, self.gpu_count, flags)
    }
}

fn parsed<T: std::str::FromStr>(value: Option<&str>) -> Option<T> {
    value.and_then(|v| v.parse().ok())
}

/// A word of the command line as the value a task file would hold.
fn typed(word: &str) -> Value {
    match word {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        _ => match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(int), _) => Value::Int(int),
            (_, Ok(float)) if float.is_finite() => Value::Float(float),
            _ => Value::Text(word.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_flags_and_engine_flags_come_in_every_form() {
        let line = "llama-3.1-8b --port 0 --speed=50 --max-num-seqs 64 --enforce-eager --no-enable-prefix-caching \
                    --chunked_prefill_size -1 --gpu-memory-utilization 0.8";
        let args = ServerArgs::parse(&line.split_whitespace().collect::<Vec<_>>()).unwrap();
        assert_eq!((args.model.as_str(), args.port, args.speed), ("llama-3.1-8b", 0, 50.0));
        let flags: Vec<String> = args.flags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            flags,
            [
                "chunked-prefill-size=-1",
                "enforce-eager=true",
                "gpu-memory-utilization=0.8",
                "max-num-seqs=64",
                "no-enable-prefix-caching=true"
            ]
        );
        let engine = args.engine().unwrap();
        assert!(engine.flags().eager && !engine.flags().prefix_caching && !engine.flags().chunked_prefill);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let message = |line: &str| ServerArgs::parse(&line.split(' ').collect::<Vec<_>>()).unwrap_err().to_string();
        assert_eq!(message("--port 0"), "the following arguments are required: --model");
        assert_eq!(message("m --port x"), "argument --port: invalid value: \"x\" (a port)");
        assert_eq!(message("m --speed 0"), "argument --speed: invalid value: \"0\" (a number above 0)");
        assert_eq!(message("m --port 1 stray"), "unrecognized arguments: --stray");
    }
}
