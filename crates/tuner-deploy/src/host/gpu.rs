//! GPUs by `nvidia-smi`. A host without it has none that can be used, which is said plainly.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::program::{self, NoOutput};

/// One GPU at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    /// Number by which engines choose it.
    pub index: u32,
    /// Name that survives renumbering.
    pub uuid: String,
    /// Product name.
    pub name: String,
    /// Its memory.
    pub memory_total_mib: u64,
    /// Memory in use by anyone.
    pub memory_used_mib: u64,
    /// Share of time its units were busy lately; absent where the driver does not say.
    pub utilization_percent: Option<u32>,
    /// Driver version.
    pub driver: String,
    /// Compute capability, `9.0`.
    pub compute_capability: Option<String>,
}

/// The GPUs of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gpus {
    /// They answer.
    Found {
        /// In order of their numbers.
        gpus: Vec<Gpu>,
    },
    /// None that can be used.
    None {
        /// Why that is known.
        reason: String,
    },
    /// The driver is there and broken.
    Broken {
        /// What it said.
        reason: String,
    },
}

impl Gpus {
    /// The GPUs, none if none are known.
    pub fn list(&self) -> &[Gpu] {
        match self {
            Self::Found { gpus } => gpus,
            Self::None { .. } | Self::Broken { .. } => &[],
        }
    }

    /// Those that a person's `CUDA_VISIBLE_DEVICES` leaves, in its order: numbers or beginnings of UUIDs. As in CUDA, the
    /// first that does not exist ends the list.
    pub fn visible(self, wish: Option<&str>) -> Self {
        let (Self::Found { gpus }, Some(wish)) = (&self, wish) else { return self };
        let named = |word: &str| {
            let number = word.parse().ok();
            gpus.iter().find(|g| Some(g.index) == number || (word.starts_with("GPU-") && g.uuid.starts_with(word)))
        };
        let left: Vec<Gpu> = wish.split(',').map(str::trim).map_while(named).cloned().collect();
        if left.is_empty() {
            return Self::None { reason: format!("CUDA_VISIBLE_DEVICES={wish} leaves none of {}", gpus.len()) };
        }
        Self::Found { gpus: left }
    }
}

const FIELDS: &str = "index,uuid,name,memory.total,memory.used,utilization.gpu,driver_version,compute_cap";

/// The driver's own reporter.
pub(crate) const TOOL: &str = "nvidia-smi";

/// Memory in use by anyone, MiB by GPU; empty where the tool does not answer.
pub(crate) fn memory_used(tool: &str, limit: Duration) -> BTreeMap<u32, u64> {
    let answer = program::output(tool, &["--query-gpu=index,memory.used", "--format=csv,noheader,nounits"], limit);
    let row = |row: &str| {
        let (index, used) = row.split_once(',')?;
        Some((index.trim().parse().ok()?, used.trim().parse().ok()?))
    };
    answer.unwrap_or_default().lines().filter_map(row).collect()
}

pub(super) fn find(limit: Duration) -> Gpus {
    let query = format!("--query-gpu={FIELDS}");
    from_answer(program::output(TOOL, &[&query, "--format=csv,noheader,nounits"], limit))
}

fn from_answer(answer: Result<String, NoOutput>) -> Gpus {
    match answer {
        Ok(text) => {
            let rows: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
            let gpus: Option<Vec<Gpu>> = rows.iter().map(|row| parse(row)).collect();
            match gpus {
                Some(gpus) if !gpus.is_empty() => Gpus::Found { gpus },
                Some(_) => Gpus::None { reason: "nvidia-smi lists no GPU".to_owned() },
                None => Gpus::Broken { reason: format!("nvidia-smi said: {}", rows.join(" | ")) },
            }
        }
        Err(missing @ NoOutput::Missing { .. }) => Gpus::None { reason: missing.to_string() },
        Err(NoOutput::Failed { message, .. }) if message.contains("No devices were found") => {
            Gpus::None { reason: "nvidia-smi lists no GPU".to_owned() }
        }
        Err(other) => Gpus::Broken { reason: other.to_string() },
    }
}

fn parse(row: &str) -> Option<Gpu> {
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let text = |i: usize| fields.get(i).map(|f| (*f).to_owned());
    let optional = |i: usize| fields.get(i).filter(|f| !f.starts_with('['));
    Some(Gpu {
        index: fields.first()?.parse().ok()?,
        uuid: text(1)?,
        name: text(2)?,
        memory_total_mib: fields.get(3)?.parse().ok()?,
        memory_used_mib: fields.get(4)?.parse().ok()?,
        utilization_percent: optional(5).and_then(|f| f.parse().ok()),
        driver: text(6)?,
        compute_capability: optional(7).map(|f| (*f).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_read_from_the_drivers_table() {
        let table = "0, GPU-1, NVIDIA H100 80GB HBM3, 81559, 4, 0, 550.54.15, 9.0\n\
                     1, GPU-2, Tesla T4, 15360, 15000, [N/A], 550.54.15, [N/A]\n";
        let gpus = from_answer(Ok(table.to_owned()));
        assert_eq!(gpus.list().len(), 2);
        assert_eq!(gpus.list()[0].memory_total_mib, 81559);
        assert_eq!((gpus.list()[1].utilization_percent, &gpus.list()[1].compute_capability), (None, &None));
    }

    #[test]
    fn only_the_gpus_that_a_person_left_visible_are_used() {
        let row = |n: u32| format!("{n}, GPU-{n}a{n}, NVIDIA H100 80GB HBM3, 81559, 4, 0, 550.54.15, 9.0\n");
        let seen = |wish: Option<&str>| {
            let gpus = from_answer(Ok((0..4).map(row).collect())).visible(wish);
            gpus.list().iter().map(|g| g.index).collect::<Vec<_>>()
        };
        assert_eq!(seen(None), [0, 1, 2, 3]);
        assert_eq!(seen(Some("3, 1")), [3, 1]);
        assert_eq!(seen(Some("GPU-2a")), [2]);
        assert_eq!(seen(Some("0,9,1")), [0]);
        assert!(seen(Some("")).is_empty());
        let hidden = from_answer(Ok(row(0))).visible(Some("-1"));
        assert_eq!(hidden, Gpus::None { reason: "CUDA_VISIBLE_DEVICES=-1 leaves none of 1".into() });
    }

    // R14.8
    #[test]
    fn a_host_without_gpus_says_so_and_a_broken_driver_is_another_matter() {
        let failed = |message: &str| {
            from_answer(Err(NoOutput::Failed { program: "nvidia-smi".into(), message: message.into() }))
        };
        let missing = from_answer(Err(NoOutput::Missing { program: "nvidia-smi".into() }));
        assert_eq!(missing, Gpus::None { reason: "nvidia-smi is not installed".into() });
        assert!(matches!(failed("No devices were found"), Gpus::None { .. }));
        assert!(matches!(failed("couldn't communicate with the NVIDIA driver"), Gpus::Broken { .. }));
        assert!(matches!(from_answer(Ok(String::new())), Gpus::None { .. }));
        assert!(matches!(from_answer(Ok("Unable to determine".into())), Gpus::Broken { .. }));
    }
}
