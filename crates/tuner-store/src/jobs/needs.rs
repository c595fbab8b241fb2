//! Where a job may run: what it needs, what a worker offers, and whether the one meets the other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a job needs of the worker that runs it. The default needs nothing: any worker will do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// How many GPUs, each of them as the next two fields say.
    #[serde(default)]
    pub gpus: u32,
    /// Part of the GPUs' model name, in any case: `H100`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_model: Option<String>,
    /// Memory of each GPU in MiB, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_memory_mib: Option<u64>,
    /// A backend that the worker has: `local`, `docker`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// An engine that is installed there: `vllm`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The one host on which it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Hosts on which it may not run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_hosts: BTreeSet<String>,
    /// Labels that the worker must carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// One GPU of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Its model, as its driver calls it.
    pub model: String,
    /// Its memory in MiB.
    pub memory_mib: u64,
}

/// What a worker has, or what of it is free now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Its host.
    #[serde(default)]
    pub host: String,
    /// Its GPUs, one by one.
    #[serde(default)]
    pub gpus: Vec<Gpu>,
    /// Backends that work there.
    #[serde(default)]
    pub backends: Vec<String>,
    /// Engines that are installed there, with their versions.
    #[serde(default)]
    pub engines: BTreeMap<String, String>,
    /// What its administrator says of it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl Needs {
    /// The first need that an offer does not meet, in words; `None` if it meets all.
    pub fn unmet_by(&self, offer: &Capabilities) -> Option<String> {
        if let Some(host) = self.host.as_ref().filter(|host| **host != offer.host) {
            return Some(format!("the host {host}"));
        }
        if self.not_hosts.contains(&offer.host) {
            return Some(format!("a host other than {}", offer.host));
        }
        if let Some(backend) = self.backend.as_ref().filter(|backend| !offer.backends.contains(backend)) {
            return Some(format!("the backend {backend}"));
        }
        if let Some(engine) = self.engine.as_ref().filter(|engine| !offer.engines.contains_key(*engine)) {
            return Some(format!("the engine {engine}"));
        }
        if let Some((name, value)) = self.labels.iter().find(|(name, value)| offer.labels.get(*name) != Some(value)) {
            return Some(format!("the label {name}={value}"));
        }
        let fit = offer.gpus.iter().filter(|gpu| self.takes(gpu)).count();
        (fit < self.gpus as usize).then(|| format!("{} ({fit} there)", self.gpus_in_words()))
    }

    /// Whether a GPU is one of those that are needed.
    pub fn takes(&self, gpu: &Gpu) -> bool {
        let model = self.gpu_model.as_ref().is_none_or(|part| {
            let (model, part) = (gpu.model.to_ascii_lowercase(), part.to_ascii_lowercase());
            model.contains(&part)
        });
        model && self.gpu_memory_mib.is_none_or(|least| gpu.memory_mib >= least)
    }

    fn gpus_in_words(&self) -> String {
        let model = self.gpu_model.as_ref().map(|model| format!(" {model}")).unwrap_or_default();
        let memory = self.gpu_memory_mib.map(|mib| format!(" of {mib} MiB")).unwrap_or_default();
        format!("{}{model} GPUs{memory}", self.gpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Capabilities {
        let gpu = |model: &str, memory_mib| Gpu { model: model.to_owned(), memory_mib };
        Capabilities {
            host: "gpu-7".to_owned(),
            gpus: vec![
                gpu("NVIDIA H100 80GB HBM3", 81_559),
                gpu("NVIDIA H100 80GB HBM3", 81_559),
                gpu("NVIDIA L4", 23_034),
            ],
            backends: vec!["local".to_owned()],
            engines: [("vllm".to_owned(), "0.32.0".to_owned())].into(),
            labels: [("zone".to_owned(), "a".to_owned())].into(),
        }
    }

    #[test]
    fn each_need_is_met_or_named() {
        let word = |text: &str| Some(text.to_owned());
        let none = Needs::default();
        let cases = [
            (none.clone(), None),
            (Needs { gpus: 3, ..none.clone() }, None),
            (Needs { gpus: 4, ..none.clone() }, Some("4 GPUs (3 there)")),
            (Needs { gpus: 2, gpu_model: word("h100"), ..none.clone() }, None),
            (Needs { gpus: 3, gpu_model: word("H100"), ..none.clone() }, Some("3 H100 GPUs (2 there)")),
            (Needs { gpus: 2, gpu_memory_mib: Some(80_000), ..none.clone() }, None),
            (Needs { gpus: 3, gpu_memory_mib: Some(80_000), ..none.clone() }, Some("3 GPUs of 80000 MiB (2 there)")),
            (Needs { backend: word("local"), engine: word("vllm"), host: word("gpu-7"), ..none.clone() }, None),
            (Needs { backend: word("docker"), ..none.clone() }, Some("the backend docker")),
            (Needs { engine: word("sglang"), ..none.clone() }, Some("the engine sglang")),
            (Needs { host: word("gpu-8"), ..none.clone() }, Some("the host gpu-8")),
            (Needs { not_hosts: ["gpu-8".to_owned()].into(), ..none.clone() }, None),
            (Needs { not_hosts: ["gpu-7".to_owned()].into(), ..none.clone() }, Some("a host other than gpu-7")),
            (Needs { labels: [("zone".to_owned(), "a".to_owned())].into(), ..none.clone() }, None),
            (Needs { labels: [("zone".to_owned(), "b".to_owned())].into(), ..none }, Some("the label zone=b")),
        ];
        for (needs, unmet) in cases {
            assert_eq!(needs.unmet_by(&offer()).as_deref(), unmet, "{needs:?}");
        }
    }
}
