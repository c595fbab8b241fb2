//! The files that start a configuration in a container or in a cluster.
//!
//! *Invariant*: pure, and without secrets: a variable that holds one is taken from whoever applies the file.

use serde_json::{Value as Json, json};
use tuner_core::engine::EngineName;

use crate::launch::LaunchSpec;
use crate::secrets::{is_secret_name, without_url_passwords};

/// Where containers find a model that is a folder here.
const MODEL: &str = "/model";
/// Where what is fetched from a hub is kept.
const CACHE: &str = "/hub";

/// What a file starts.
#[derive(Clone, Copy, Debug)]
pub struct Deployment<'a> {
    /// Its name: small letters, digits and `-`.
    pub name: &'a str,
    /// Image with tag; the word `IMAGE` where nobody said which.
    pub image: &'a str,
    /// The command, with [`Self::model`] already as the container sees it.
    pub launch: &'a LaunchSpec,
    /// Port that the engine listens on.
    pub port: u16,
    /// Folder or file of the model on this machine, mounted read-only; none: it is fetched by name.
    pub model: Option<&'a str>,
    /// GPUs.
    pub gpus: u32,
}

/// The image of an engine's own project, of this version; none where it publishes none by a plain name.
pub fn image(engine: EngineName, version: &str) -> Option<String> {
    match engine {
        EngineName::Vllm => Some(format!("vllm/vllm-openai:v{version}")),
        EngineName::Sglang => Some(format!("lmsysorg/sglang:v{version}")),
        EngineName::TensorrtLlm | EngineName::LlamaCpp | EngineName::Simulated => None,
    }
}

/// Where a container finds this model: a folder is mounted, a file within one too.
pub fn model_inside(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((_, file)) if file.contains('.') => format!("{MODEL}/{file}"),
        _ => MODEL.to_owned(),
    }
}

fn model_folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, file)) if file.contains('.') => folder,
        _ => path,
    }
}

impl Deployment<'_> {
    fn words(&self) -> Vec<&str> {
        std::iter::once(self.launch.program.as_str()).chain(self.launch.args.iter().map(String::as_str)).collect()
    }

    fn env(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        let shown = self.launch.env.iter().filter(|(name, _)| !self.launch.unprinted.contains(*name));
        let told =
            shown.map(|(name, value)| (name.as_str(), (!is_secret_name(name)).then(|| without_url_passwords(value))));
        let fetched = self.model.is_none() && !self.launch.env.contains_key("HF_HOME");
        fetched.then(|| ("HF_HOME", Some(CACHE.to_owned()))).into_iter().chain(told)
    }

    /// A Compose file.
    pub fn compose(&self) -> Json {
        let env: serde_json::Map<String, Json> = self
            .env()
            .map(|(name, value)| (name.to_owned(), value.unwrap_or_else(|| format!("${{{name}}}")).into()))
            .collect();
        let mounts = match self.model {
            Some(path) => json!([format!("{}:{MODEL}:ro", model_folder(path))]),
            None => json!([format!("huggingface:{CACHE}")]),
        };
        let words = self.words();
        let mut service = json!({
            "image": self.image,
            "entrypoint": words[..1],
            "command": words[1..],
            "ports": [format!("{0}:{0}", self.port)],
            "volumes": mounts,
            "ipc": "host",
            "restart": "unless-stopped",
            "healthcheck": {
                "test": ["CMD", "python3", "-c", format!(
                    "import urllib.request as u; u.urlopen('http://127.0.0.1:{}{}')", self.port, self.launch.health_path)],
                "interval": "10s", "start_period": "15m",
            },
        });
        if !env.is_empty() {
            service["environment"] = env.into();
        }
        if self.gpus > 0 {
            service["deploy"] = json!({ "resources": { "reservations": { "devices": [
                { "driver": "nvidia", "count": self.gpus, "capabilities": ["gpu"] }
            ] } } });
        }
        let mut file = json!({ "services": { self.name: service } });
        if self.model.is_none() {
            file["volumes"] = json!({ "huggingface": {} });
        }
        file
    }

    /// A Deployment and a Service of Kubernetes.
    pub fn kubernetes(&self) -> [Json; 2] {
        let labels = json!({ "app.kubernetes.io/name": self.name, "app.kubernetes.io/managed-by": "autotuner" });
        let selector = json!({ "app.kubernetes.io/name": self.name });
        let secret = format!("{}-secrets", self.name);
        let env: Vec<Json> = self
            .env()
            .map(|(name, value)| match value {
                Some(value) => json!({ "name": name, "value": value }),
                None => json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": name } } }),
            })
            .collect();
        let (source, inside) = match self.model {
            Some(path) => (json!({ "hostPath": { "path": model_folder(path), "type": "Directory" } }), MODEL),
            None => (json!({ "emptyDir": {} }), CACHE),
        };
        let probe = json!({ "httpGet": { "path": self.launch.health_path, "port": "http" } });
        let mut startup = probe.clone();
        (startup["periodSeconds"], startup["failureThreshold"]) = (10.into(), 90.into());
        let mut container = json!({
            "name": "engine",
            "image": self.image,
            "command": self.words(),
            "env": env,
            "ports": [{ "name": "http", "containerPort": self.port }],
            "startupProbe": startup,
            "readinessProbe": probe,
            "volumeMounts": [
                { "name": "model", "mountPath": inside, "readOnly": self.model.is_some() },
                { "name": "shm", "mountPath": "/dev/shm" },
            ],
        });
        if self.gpus > 0 {
            container["resources"] = json!({ "limits": { "nvidia.com/gpu": self.gpus } });
        }
        let volumes = json!([
            { "name": "model", "hostPath": source["hostPath"], "emptyDir": source["emptyDir"] },
            { "name": "shm", "emptyDir": { "medium": "Memory" } },
        ]);
        let deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": self.name, "labels": labels },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": selector },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [container], "volumes": without_nulls(volumes) },
                },
            },
        });
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": self.name, "labels": labels },
            "spec": { "selector": selector, "ports": [{ "name": "http", "port": self.port, "targetPort": "http" }] },
        });
        [deployment, service]
    }
}

fn without_nulls(mut list: Json) -> Json {
    for fields in list.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
        fields.retain(|_, value| !value.is_null());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> LaunchSpec {
        LaunchSpec {
            program: "vllm".to_owned(),
            args: ["serve", "/model", "--max-num-seqs", "64"].map(str::to_owned).to_vec(),
            env: [("HF_TOKEN".to_owned(), "hf_verysecret".to_owned()), ("VLLM_USE_V1".to_owned(), "1".to_owned())]
                .into(),
            unprinted: Default::default(),
            health_path: "/health".to_owned(),
            base_path: "/v1".to_owned(),
            served_model: None,
            warnings: Vec::new(),
        }
    }

    // R14.7
    #[test]
    fn files_say_what_is_started_and_no_secret() {
        let launch = launch();
        let image = image(EngineName::Vllm, "0.29.0").unwrap();
        let of =
            Deployment { name: "chat", image: &image, launch: &launch, port: 8080, model: Some("/m/qwen"), gpus: 2 };
        let [deployment, service] = of.kubernetes();
        let shown: Vec<String> = [of.compose(), deployment, service].iter().map(tuner_core::task::yaml_of).collect();
        assert!(shown.iter().all(|text| !text.contains("verysecret")));
        insta::assert_snapshot!(shown.join("---\n"));
    }

    #[test]
    fn a_model_that_is_fetched_is_kept_where_it_is_mounted() {
        let launch = launch();
        let of = Deployment { name: "chat", image: "IMAGE", launch: &launch, port: 8080, model: None, gpus: 0 };
        let compose = of.compose();
        let service = &compose["services"]["chat"];
        assert_eq!(service["environment"]["HF_HOME"], "/hub");
        assert_eq!(service["volumes"], json!(["huggingface:/hub"]));
        let container = &of.kubernetes()[0]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["env"][0], json!({ "name": "HF_HOME", "value": "/hub" }));
    }

    #[test]
    fn a_model_is_a_folder_or_a_file_in_one() {
        assert_eq!((model_inside("/m/qwen"), model_folder("/m/qwen")), ("/model".to_owned(), "/m/qwen"));
        assert_eq!((model_inside("/m/q.gguf"), model_folder("/m/q.gguf")), ("/model/q.gguf".to_owned(), "/m"));
    }
}
