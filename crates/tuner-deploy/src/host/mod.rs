//! What this host has, for `doctor`, pre-flight checks and reports. Read from `/proc` and from programs that may be
//! missing; what cannot be found is absent, never guessed.

pub(crate) mod gpu;
mod own;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::gpu::{Gpu, Gpus};
pub use self::own::{OwnProcess, process};
use crate::Proxies;

/// Programs that report about the host get that long.
const PROGRAM_LIMIT: Duration = Duration::from_secs(10);

/// Facts about this host at one moment. Memory in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Name of the distribution.
    pub os: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// CPU model.
    pub cpu: Option<String>,
    /// Cores that this process may use: affinity and cgroup quota count.
    pub cores: usize,
    /// Instruction sets that engines ask for.
    pub cpu_features: Vec<String>,
    /// Memory of the host, or of the container where that is less.
    pub memory_total_bytes: Option<u64>,
    /// Memory that can be had without swapping.
    pub memory_free_bytes: Option<u64>,
    /// Runnable processes, averaged over a minute.
    pub load_1m: Option<f64>,
    /// Shared memory that is free, which multi-GPU engines need.
    pub shm_free_bytes: Option<u64>,
    /// GPUs, or why none are known.
    pub gpus: Gpus,
    /// Version of `python3`.
    pub python: Option<String>,
    /// Free space where the data directory is or will be.
    pub disk_free_bytes: Option<u64>,
    /// Proxy settings, passwords removed.
    pub proxies: Proxies,
}

impl HostFacts {
    /// Looks around. `proxies` is what the caller read from its environment. Blocks its thread for milliseconds, and
    /// for seconds when a GPU driver hangs.
    pub fn gather(data_dir: &Path, proxies: &Proxies) -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
        let meminfo = read("/proc/meminfo").unwrap_or_default();
        let host_memory = meminfo_bytes(&meminfo, "MemTotal");
        let limit = read("/sys/fs/cgroup/memory.max").and_then(|t| t.trim().parse::<u64>().ok());
        let used = read("/sys/fs/cgroup/memory.current").and_then(|t| t.trim().parse::<u64>().ok());
        let free = meminfo_bytes(&meminfo, "MemAvailable");
        Self {
            os: read("/etc/os-release").and_then(|text| os_name(&text)),
            kernel: read("/proc/sys/kernel/osrelease").map(|t| t.trim().to_owned()),
            cpu: cpu_model(&cpuinfo),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu_features: cpu_features(&cpuinfo),
            memory_total_bytes: least(host_memory, limit),
            memory_free_bytes: least(free, limit.zip(used).map(|(limit, used)| limit.saturating_sub(used))),
            load_1m: read("/proc/loadavg").and_then(|t| t.split(' ').next()?.parse().ok()),
            shm_free_bytes: free_bytes(Path::new("/dev/shm")),
            gpus: gpus(),
            python: program::output("python3", &["--version"], PROGRAM_LIMIT)
                .ok()
                .and_then(|text| Some(text.trim().strip_prefix("Python ")?.to_owned())),
            disk_free_bytes: free_bytes(data_dir),
            proxies: proxies.redacted(),
        }
    }
}

/// What measurements on a host depend on, in one line: processor, cores, GPUs by model.
pub fn hardware(gpus: &Gpus) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|cpuinfo| cpu_model(&cpuinfo));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut models = BTreeMap::<&str, usize>::new();
    gpus.list().iter().for_each(|gpu| *models.entry(&gpu.name).or_default() += 1);
    let gpus = models.into_iter().map(|(model, n)| format!(", {n} x {model}"));
    format!("{}, {cores} cores{}", cpu.as_deref().unwrap_or("a processor without a name"), gpus.collect::<String>())
}

/// The GPUs of this host. Blocks as [`HostFacts::gather`].
pub fn gpus() -> Gpus {
    gpu::find(PROGRAM_LIMIT)
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

/// Free space of the file system that holds `path`, or would: the nearest folder above it that exists.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|p| p.exists())?;
    let facts = rustix::fs::statvfs(existing).ok()?;
    facts.f_bavail.checked_mul(facts.f_frsize)
}

fn meminfo_bytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn os_name(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches('"').to_owned())
}

/// `model name` on x86; Arm has no name, so its implementer and part stand for it.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    let field = |name: &str| {
        cpuinfo.lines().find_map(|l| {
            let (key, value) = l.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    field("model name").or_else(|| Some(format!("arm {} {}", field("CPU implementer")?, field("CPU part")?)))
}

fn cpu_features(cpuinfo: &str) -> Vec<String> {
    const WANTED: [&str; 8] = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve", "i8mm"];
    let line = cpuinfo.lines().find(|l| l.starts_with("flags") || l.starts_with("Features")).unwrap_or_default();
    let has: Vec<&str> = line.split_ascii_whitespace().collect();
    WANTED.iter().filter(|f| has.contains(f)).map(|f| (*f).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_cores_memory_and_disk() {
        let dir = tempfile::tempdir().unwrap();
        let proxies = Proxies { http: Some("http://me:pw@p:1".into()), ..Proxies::default() };
        let facts = HostFacts::gather(&dir.path().join("not/yet/there"), &proxies);
        assert!(facts.cores > 0 && facts.memory_total_bytes.unwrap() > facts.memory_free_bytes.unwrap());
        assert!(facts.disk_free_bytes.is_some() && facts.kernel.is_some());
        let text = serde_json::to_string(&facts).unwrap();
        assert!(!text.contains("pw"));
        assert_eq!(serde_json::from_str::<HostFacts>(&text).unwrap().cores, facts.cores);
    }

    #[test]
    fn kernel_tables_are_read_as_they_are_written() {
        assert_eq!(meminfo_bytes("MemTotal:       24683656 kB\nMemFree: 1 kB\n", "MemTotal"), Some(24_683_656 * 1024));
        assert_eq!(meminfo_bytes("MemTotalX: 1 kB\n", "MemTotal"), None);
        assert_eq!(cpu_model("processor\t: 0\nmodel name\t: Xeon: 8\n").as_deref(), Some("Xeon: 8"));
        let arm = "CPU implementer\t: 0x41\nCPU part\t: 0xd4f\nFeatures\t: fp asimd sve\n";
        assert_eq!(cpu_model(arm).as_deref(), Some("arm 0x41 0xd4f"));
        assert_eq!(cpu_features(arm), ["asimd", "sve"]);
        assert_eq!(cpu_features("flags\t: fpu avx2 avx512f_x\n"), ["avx2"]);
        assert_eq!(os_name("ID=debian\nPRETTY_NAME=\"Debian 12\"\n").as_deref(), Some("Debian 12"));
        assert_eq!((cpu_model(""), os_name("")), (None, None));
    }
}
