//! GPUs of this machine through the driver's library, which is looked for at run time.

use std::fmt;
use std::sync::Arc;

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::Clock;
use tuner_core::server_side::{GaugeSummary, GpuSample, GpuSide};

/// Bytes of a MiB.
const MIB: f64 = 1024.0 * 1024.0;

/// Reads the GPUs of this machine, if it has any.
#[derive(Clone, Default)]
pub struct GpuProbe(Option<Arc<Nvml>>);

impl GpuProbe {
    /// Reads nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Reads what the driver's library shows; nothing where there is no driver.
    pub fn find() -> Self {
        Self(Nvml::init().ok().map(Arc::new))
    }

    /// One reading of each GPU; a figure that the driver does not give is absent.
    pub(super) fn read(&self) -> Vec<GpuReading> {
        let Some(nvml) = &self.0 else { return Vec::new() };
        let gpus = (0..nvml.device_count().unwrap_or(0)).filter_map(|index| {
            let device = nvml.device_by_index(index).ok()?;
            Some(GpuReading {
                index,
                name: device.name().unwrap_or_default(),
                utilization_percent: device.utilization_rates().ok().map(|u| f64::from(u.gpu)),
                memory_used_mib: device.memory_info().ok().map(|m| m.used as f64 / MIB),
                power_w: device.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1000.0),
                clock_mhz: device.clock_info(Clock::SM).ok().map(f64::from),
            })
        });
        gpus.collect()
    }
}

impl fmt::Debug for GpuProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GpuProbe").field(&self.0.is_some()).finish()
    }
}

/// One GPU at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GpuReading {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) utilization_percent: Option<f64>,
    pub(super) memory_used_mib: Option<f64>,
    pub(super) power_w: Option<f64>,
    pub(super) clock_mhz: Option<f64>,
}

/// Each GPU at one moment.
pub(super) fn samples(at_s: f64, readings: &[GpuReading]) -> impl Iterator<Item = GpuSample> {
    readings.iter().map(move |reading| GpuSample {
        at_s,
        index: reading.index,
        utilization_percent: reading.utilization_percent,
        memory_used_mib: reading.memory_used_mib,
        power_w: reading.power_w,
        clock_mhz: reading.clock_mhz,
    })
}

/// Each GPU over all readings, by its number.
pub(super) fn sides<'a>(readings: impl Iterator<Item = &'a [GpuReading]>) -> Vec<GpuSide> {
    let mut all: Vec<&GpuReading> = readings.flatten().collect();
    all.sort_by_key(|r| r.index);
    let of_one_gpu = all.chunk_by(|a, b| a.index == b.index);
    let side = |readings: &[&GpuReading]| {
        let over = |figure: fn(&GpuReading) -> Option<f64>| GaugeSummary::of(readings.iter().filter_map(|r| figure(r)));
        GpuSide {
            index: readings[0].index,
            name: readings[0].name.clone(),
            utilization_percent: over(|r| r.utilization_percent),
            memory_used_mib: over(|r| r.memory_used_mib),
            power_w: over(|r| r.power_w),
            clock_mhz: over(|r| r.clock_mhz),
        }
    };
    of_one_gpu.map(side).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gpu_has_its_own_figures_and_what_the_driver_hides_is_absent() {
        let reading = |index, busy: f64| GpuReading {
            index,
            name: format!("gpu {index}"),
            utilization_percent: Some(busy),
            memory_used_mib: Some(1000.0),
            ..GpuReading::default()
        };
        let readings = [vec![reading(0, 50.0), reading(1, 10.0)], vec![reading(0, 100.0), reading(1, 20.0)]];
        let sides = sides(readings.iter().map(Vec::as_slice));
        let busy: Vec<_> = sides.iter().map(|s| (s.index, s.utilization_percent.unwrap())).collect();
        assert_eq!(busy, [(0, GaugeSummary { mean: 75.0, max: 100.0 }), (1, GaugeSummary { mean: 15.0, max: 20.0 })]);
        assert!(sides.iter().all(|s| s.power_w.is_none()));
    }

    #[test]
    fn a_machine_without_a_driver_is_read_as_having_none() {
        assert_eq!(GpuProbe::none().read(), []);
    }
}
