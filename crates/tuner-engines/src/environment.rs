//! Environment of an engine: proxies, offline hub, GPU choice, NCCL.

use std::collections::BTreeSet;

use tuner_core::task::Environment;

use crate::launch::LaunchRequest;
use crate::proxies::Proxies;

/// Variables that a caller should hand in as `ambient` if its own environment has them.
pub const AMBIENT: [&str; 8] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

pub(crate) struct Parts {
    pub(crate) env: Environment,
    pub(crate) unprinted: BTreeSet<String>,
    pub(crate) notes: Vec<String>,
}

/// The task's own variables win over everything set here.
pub(crate) fn build(request: &LaunchRequest<'_>, nccl: bool, hugging_face: bool, evidence: &[(&str, &str)]) -> Parts {
    let mut env = Environment::new();
    let mut unprinted = BTreeSet::new();
    let mut notes = Vec::new();
    for (name, value) in Proxies::from_vars(request.ambient.clone()).and_directly(request.host).environment() {
        unprinted.insert(name.clone());
        env.insert(name, value);
    }
    for (name, value) in evidence {
        unprinted.insert((*name).to_owned());
        env.insert((*name).to_owned(), (*value).to_owned());
    }
    // R14.1: a local model must work with the network cut, so the libraries are not to ask the hub.
    if hugging_face && request.model.path.is_some() {
        env.insert("HF_HUB_OFFLINE".to_owned(), "1".to_owned());
        env.insert("TRANSFORMERS_OFFLINE".to_owned(), "1".to_owned());
    }
    if !request.gpus.is_empty() {
        let list: Vec<String> = request.gpus.iter().map(u32::to_string).collect();
        env.insert("CUDA_VISIBLE_DEVICES".to_owned(), list.join(","));
        // CUDA's own order is fastest first; indices here are the driver's.
        env.insert("CUDA_DEVICE_ORDER".to_owned(), "PCI_BUS_ID".to_owned());
    }
    // R14.3
    if nccl && request.gpus.len() > 1 {
        env.insert("NCCL_DEBUG".to_owned(), "INFO".to_owned());
        env.insert("NCCL_IB_DISABLE".to_owned(), "1".to_owned());
        notes.push(format!(
            "NCCL_DEBUG=INFO and NCCL_IB_DISABLE=1 for {} GPUs; engine.env overrides them",
            request.gpus.len()
        ));
    }
    for (name, value) in &request.engine.env {
        unprinted.remove(name);
        env.insert(name.clone(), value.clone());
    }
    Parts { env, unprinted, notes }
}
