//! The GPUs the simulator knows, by their data sheets.
//!
//! *Invariant*: the numbers are peak figures of one device (dense, without sparsity); what of them is reachable is
//! decided in one place, `cost.rs`.

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// One accelerator, as its data sheet describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
    /// Name in task files, `h100-80g`.
    pub name: &'static str,
    /// Memory that the driver reports, bytes.
    pub memory_bytes: f64,
    /// Memory bandwidth, bytes per second.
    pub bandwidth: f64,
    /// Dense 16-bit matrix throughput, FLOP/s.
    pub flops_bf16: f64,
    /// Dense 8-bit float matrix throughput, FLOP/s; equals `flops_bf16` where there is no such unit.
    pub flops_fp8: f64,
    /// Bandwidth to a neighbour in one direction, bytes per second.
    pub link_bandwidth: f64,
    /// Time of the smallest exchange with a neighbour, seconds.
    pub link_latency_s: f64,
    /// Time the host takes to launch one kernel, seconds.
    pub launch_s: f64,
    /// Bytes of weights read from disk per second at start-up.
    pub load_bandwidth: f64,
    /// Seconds that the runtime takes to import, create a context and connect, before any weight is read.
    pub boot_s: f64,
}

impl Gpu {
    /// The GPU of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        GPUS.iter().find(|gpu| gpu.name.eq_ignore_ascii_case(name))
    }

    /// Whether 8-bit floats are native (Ada, Hopper, CDNA 3).
    pub fn has_fp8(&self) -> bool {
        self.flops_fp8 > self.flops_bf16
    }

    /// Whether it is a data-centre part with at least 70 GiB, for which engines choose larger default batches.
    pub fn is_large(&self) -> bool {
        self.memory_bytes >= 70.0 * GIB
    }

    /// Whether it is a processor, not a GPU.
    pub fn is_cpu(&self) -> bool {
        self.name.starts_with("cpu")
    }
}

const fn gpu(
    name: &'static str,
    memory_gib: f64,
    bandwidth_gb: f64,
    bf16_tflops: f64,
    fp8_tflops: f64,
    link_gb: f64,
    link_us: f64,
) -> Gpu {
    Gpu {
        name,
        memory_bytes: memory_gib * GIB,
        bandwidth: bandwidth_gb * 1e9,
        flops_bf16: bf16_tflops * 1e12,
        flops_fp8: fp8_tflops * 1e12,
        link_bandwidth: link_gb * 1e9,
        link_latency_s: link_us * 1e-6,
        launch_s: 5e-6,
        load_bandwidth: 3e9,
        boot_s: 14.0,
    }
}

/// Every device. Links: NVLink or Infinity Fabric where the part has it, else PCIe.
pub static GPUS: [Gpu; 9] = [
    gpu("h100-80g", 79.1, 3350.0, 989.0, 1979.0, 450.0, 6.0),
    gpu("h200-141g", 139.8, 4800.0, 989.0, 1979.0, 450.0, 6.0),
    gpu("a100-80g", 79.2, 2039.0, 312.0, 312.0, 300.0, 7.0),
    gpu("a100-40g", 39.4, 1555.0, 312.0, 312.0, 300.0, 7.0),
    gpu("l4-24g", 22.0, 300.0, 121.0, 242.0, 24.0, 15.0),
    gpu("l40s-48g", 44.4, 864.0, 362.0, 733.0, 24.0, 15.0),
    gpu("rtx4090-24g", 23.5, 1008.0, 165.0, 330.0, 24.0, 18.0),
    gpu("mi300x-192g", 191.5, 5300.0, 1307.0, 2614.0, 64.0, 9.0),
    Gpu { launch_s: 2e-6, load_bandwidth: 1e9, boot_s: 6.0, ..gpu("cpu-small", 16.0, 25.0, 0.4, 0.4, 5.0, 20.0) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_found_by_its_name_in_any_case() {
        assert_eq!(Gpu::named("H100-80G").map(|g| g.name), Some("h100-80g"));
        assert!(Gpu::named("h100").is_none());
    }

    #[test]
    fn only_the_parts_with_the_unit_have_fp8() {
        let with: Vec<_> = GPUS.iter().filter(|g| g.has_fp8()).map(|g| g.name).collect();
        assert_eq!(with, ["h100-80g", "h200-141g", "l4-24g", "l40s-48g", "rtx4090-24g", "mi300x-192g"]);
    }
}
