//! Synthetic engines: what a serving engine does to throughput and latency, in a few formulas.
//!
//! Mixed parameters, two of them conditional, crashes by memory and by unlucky combinations, two SLOs, seeded noise.
//! They are a stress test for samplers, not a claim about any real engine.

use rand::RngExt;
use tuner_core::sampler::{Ask, Finished, Observation, Sampler};
use tuner_core::space::expr::Expr;
use tuner_core::space::{Configuration, Domain, Parameter, SearchSpace};
use tuner_core::value::Value;
use tuner_search::explore::{draw, generator, neighbours};

/// A model on a machine under a workload with its SLOs.
pub(crate) struct Scene {
    name: &'static str,
    parameters: f64,
    gpus: i64,
    memory: f64,
    bandwidth: f64,
    flops: f64,
    input: f64,
    output: f64,
    slo_ttft: f64,
    slo_tpot: f64,
    shared_prefix: f64,
}

const fn scene(name: &'static str, billions: f64, gpus: i64, load: [f64; 3], slo: [f64; 2]) -> Scene {
    Scene {
        name,
        parameters: billions * 1e9,
        gpus,
        memory: 80e9,
        bandwidth: 3.35e12,
        flops: 800e12,
        input: load[0],
        output: load[1],
        slo_ttft: slo[0],
        slo_tpot: slo[1],
        shared_prefix: load[2],
    }
}

/// The surfaces, from easy (four in ten configurations meet the SLOs) to hard (one in a hundred).
pub(crate) const SCENES: [Scene; 6] = [
    scene("chat 8B, 1 GPU", 8.0, 1, [600.0, 250.0, 0.5], [1.0, 0.030]),
    scene("retrieval 8B, 1 GPU", 8.0, 1, [6000.0, 150.0, 0.3], [2.5, 0.060]),
    scene("code 14B, 2 GPUs", 14.0, 2, [2500.0, 500.0, 0.6], [2.0, 0.025]),
    scene("chat 70B, 4 GPUs", 70.0, 4, [800.0, 300.0, 0.4], [2.0, 0.050]),
    scene("batch 8B, 1 GPU", 8.0, 1, [1200.0, 400.0, 0.0], [60.0, 0.200]),
    Scene {
        memory: 24e9,
        bandwidth: 0.9e12,
        flops: 160e12,
        ..scene("chat 8B, 24 GB GPU", 8.0, 1, [500.0, 200.0, 0.4], [2.0, 0.080])
    },
];

/// A scene with its search space, its best value and its median feasible value (negative log throughput).
pub(crate) struct Surface {
    pub(crate) name: &'static str,
    scene: &'static Scene,
    pub(crate) space: SearchSpace,
    optimum: f64,
    median: f64,
}

/// What a configuration truly does.
struct Truth {
    throughput: f64,
    ttft: f64,
    tpot: f64,
}

impl Surface {
    pub(crate) fn of(scene: &'static Scene) -> Self {
        let space = space(scene);
        let mut surface = Self { name: scene.name, scene, space, optimum: 0.0, median: 0.0 };
        surface.find_reference();
        surface
    }

    /// Runs `trials` experiments, the default first. Returns the normalised regret of the recommended one (0 is the
    /// optimum, 1 is the median feasible configuration or worse, nothing feasible, or an SLO truly broken by over 5 %)
    /// and how many crashed.
    pub(crate) fn search(&self, sampler: &dyn Sampler, trials: u32, seed: u64) -> [f64; 2] {
        let mut finished = vec![self.experiment(self.default(), seed, 0)];
        for index in 0..trials - 1 {
            let budget = trials - 1;
            let ask = Ask { space: &self.space, finished: &finished, running: &[], budget, index, seed };
            let configuration = sampler.suggest(&ask).expect("a space this large is never exhausted");
            finished.push(self.experiment(configuration, seed, u64::from(index) + 1));
        }
        let crashes = finished.iter().filter(|f| f.observation == Observation::Infeasible).count();
        [self.regret(&finished), crashes as f64]
    }

    /// Mean of [`Self::search`] over the seeds from 0.
    pub(crate) fn mean(&self, sampler: &dyn Sampler, trials: u32, seeds: u64) -> [f64; 2] {
        let all = (0..seeds).map(|seed| self.search(sampler, trials, seed));
        all.reduce(|a, b| [a[0] + b[0], a[1] + b[1]]).unwrap_or_default().map(|sum| sum / seeds as f64)
    }

    fn regret(&self, finished: &[Finished]) -> f64 {
        let value = |f: &Finished| match &f.observation {
            Observation::Scored { objectives, .. } if f.observation.total_violation() <= 0.0 => Some(objectives[0]),
            _ => None,
        };
        let measured = finished.iter().filter_map(|f| Some((value(f)?, &f.configuration)));
        let Some((_, best)) = measured.reduce(|a, b| if b.0 < a.0 { b } else { a }) else { return 1.0 };
        let truth = self.truth(best).expect("it was measured");
        if truth.ttft > 1.05 * self.scene.slo_ttft || truth.tpot > 1.05 * self.scene.slo_tpot {
            return 1.0;
        }
        ((-truth.throughput.ln() - self.optimum) / (self.median - self.optimum)).clamp(0.0, 1.0)
    }

    /// `count` finished experiments at random.
    #[allow(dead_code, reason = "used by the benchmark")]
    pub(crate) fn history(&self, count: u64, seed: u64) -> Vec<Finished> {
        let mut rng = generator(seed, 0, "history");
        let drawn = std::iter::repeat_with(|| draw(&self.space, |_| rng.random::<f64>())).flatten();
        drawn.take(count as usize).zip(0..).map(|(c, number)| self.experiment(c, seed, number)).collect()
    }

    fn experiment(&self, configuration: Configuration, seed: u64, number: u64) -> Finished {
        let mut rng = generator(seed, number, "noise");
        let mut noise = |deviation: f64| {
            let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
            (deviation * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()).exp()
        };
        let observation = self.truth(&configuration).map_or(Observation::Infeasible, |t| Observation::Scored {
            objectives: vec![-(t.throughput * noise(0.03)).ln()],
            violations: vec![
                t.ttft * noise(0.06) / self.scene.slo_ttft - 1.0,
                t.tpot * noise(0.036) / self.scene.slo_tpot - 1.0,
            ],
            noise: Some(0.03),
        });
        Finished { configuration, observation }
    }

    /// Shares of draws that crash and that meet the SLOs, with the reference values.
    #[allow(dead_code, reason = "used by the benchmark")]
    pub(crate) fn describe(&self) -> String {
        let mut rng = generator(1, 0, "describe");
        let (mut crashed, mut feasible, n) = (0.0, 0.0, 10_000.0);
        for _ in 0..10_000 {
            let Some(c) = draw(&self.space, |_| rng.random::<f64>()) else { continue };
            match self.truth(&c) {
                None => crashed += 1.0 / n,
                Some(t) if t.ttft <= self.scene.slo_ttft && t.tpot <= self.scene.slo_tpot => feasible += 1.0 / n,
                Some(_) => {}
            }
        }
        format!(
            "{}: crash {crashed:.3} feasible {feasible:.3} best {:.3} median {:.3}",
            self.name, self.optimum, self.median
        )
    }

    fn default(&self) -> Configuration {
        let mut all = Configuration::from([
            ("max-num-seqs", Value::Int(256)),
            ("max-num-batched-tokens", Value::Int(8192)),
            ("gpu-memory-utilization", Value::Float(0.9)),
            ("block-size", Value::Int(16)),
            ("chunked-prefill", true.into()),
            ("prefix-caching", true.into()),
            ("kv-dtype", "auto".into()),
            ("quantization", "none".into()),
            ("attention", "fa".into()),
            ("enforce-eager", false.into()),
            ("scheduler", "fcfs".into()),
            ("speculation", "none".into()),
            ("swap-gb", Value::Int(4)),
        ]);
        if self.scene.gpus > 1 {
            all.set("tensor-parallel", 1i64);
        }
        self.space.canonical(&all).expect("the default lies in the space")
    }

    /// The best feasible value that 12,000 draws and a climb from the five best find, and the median of the draws.
    fn find_reference(&mut self) {
        let mut rng = generator(0, 0, "reference");
        let feasible = |surface: &Self, c: &Configuration| {
            let t =
                surface.truth(c).filter(|t| t.ttft <= surface.scene.slo_ttft && t.tpot <= surface.scene.slo_tpot)?;
            Some(-t.throughput.ln())
        };
        let draws = (0..12_000).filter_map(|_| draw(&self.space, |_| rng.random()));
        let mut found: Vec<(f64, Configuration)> = draws.filter_map(|c| Some((feasible(self, &c)?, c))).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.median = found[found.len() / 2].0;
        let mut optimum = found[0].0;
        for (mut value, mut at) in found.into_iter().take(5) {
            loop {
                let around = neighbours(&self.space, &at, &mut rng);
                let better = around.into_iter().filter_map(|c| Some((feasible(self, &c)?, c)));
                let Some((v, c)) = better.reduce(|a, b| if b.0 < a.0 { b } else { a }) else { break };
                if v >= value {
                    break;
                }
                (value, at) = (v, c);
            }
            optimum = optimum.min(value);
        }
        self.optimum = optimum;
    }

    fn truth(&self, configuration: &Configuration) -> Option<Truth> {
        let s = self.scene;
        let text = |name: &str| configuration.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| configuration.get(name).and_then(Value::as_f64);
        let on = |name: &str| configuration.get(name).and_then(Value::as_bool).unwrap_or_default();
        let (kv, quantization, attention, speculation) =
            (text("kv-dtype"), text("quantization"), text("attention"), text("speculation"));
        let (chunked, eager) = (on("chunked-prefill"), on("enforce-eager"));
        let (block, seqs, batched) =
            (number("block-size")?, number("max-num-seqs")?, number("max-num-batched-tokens")?);
        let swap = number("swap-gb")?;

        // Combinations that the engine does not survive.
        let dies = (kv == "fp8_e5m2" && quantization == "fp8")
            || (attention == "xf" && (kv != "auto" || speculation == "eagle"))
            || (attention == "triton" && block == 8.0)
            || (!chunked && batched < s.input * 1.3);
        if dies {
            return None;
        }

        // Memory: weights, activations, key-value cache.
        let tp = number("tensor-parallel").unwrap_or(1.0);
        let replicas = (s.gpus as f64 / tp).floor().max(1.0);
        let bytes = match quantization {
            "fp8" => 1.0,
            "awq" => 0.56,
            _ => 2.0,
        };
        let weights = s.parameters * bytes / tp * if speculation == "eagle" { 1.07 } else { 1.0 };
        let layers = 32.0 + 0.6 * (s.parameters / 1e9).powf(0.75);
        let kv_token = 2.0 * layers * 1024.0 * if kv == "auto" { 2.0 } else { 1.0 } / tp;
        let graphs = if eager { 0.0 } else { 0.35e9 + 3.2e6 * seqs };
        let activations = batched * 18e3 * (s.parameters / 8e9).sqrt() * 4.0 / tp + 0.9e9 + graphs;
        let share = number("gpu-memory-utilization")?;
        let (pool, headroom) = (s.memory * share, s.memory * (1.0 - share));
        if weights + activations * 0.6 > pool - 0.3e9 || activations * 0.33 > headroom + 0.55e9 {
            return None;
        }
        let context = s.input + s.output * 0.55;
        let hit = if on("prefix-caching") { s.shared_prefix * 0.85 * (1.0 - 0.004 * block) } else { 0.0 };
        let fragmentation = 1.0 + 0.5 * block / context;
        let fits = (pool - weights - activations * 0.6) / kv_token / (context * fragmentation * (1.0 - 0.6 * hit));
        if fits < 1.05 {
            return None;
        }
        let batch = seqs.min(fits);
        let preempted = ((seqs - fits) / fits.max(1.0)).clamp(0.0, 1.0) * 0.10 * (1.0 - 0.012 * swap);

        // Time of one step with `b` sequences decoding and `prefill` prompt tokens.
        let reads = match (attention, kv) {
            ("fi", "auto") => 1.04,
            ("fi", _) => 1.04 * 1.06,
            ("triton", "auto") => 0.90,
            ("triton", _) => 0.90 * 0.97,
            ("xf", _) => 0.80,
            (_, "auto") => 1.0,
            _ => 0.93,
        };
        let speed = match quantization {
            "fp8" => 1.55,
            "awq" => 0.86,
            _ => 1.0,
        };
        let link = if tp == 1.0 { 0.0 } else { 18e-6 * tp.log2() * layers * 0.35 };
        let overhead =
            if eager { 2.6e-3 } else { 0.35e-3 } + if text("scheduler") == "priority" { 0.25e-3 } else { 0.0 };
        let step = |b: f64, prefill: f64| {
            let memory = (weights + b * context * kv_token) / (s.bandwidth * 0.82 * reads);
            let compute = 2.0 * s.parameters / tp * (b + prefill) / (s.flops * 0.55 * speed);
            memory.max(compute)
                + 0.25 * memory.min(compute)
                + overhead
                + 9e-6 * b.powf(0.9)
                + link * (1.0 + 0.004 * (b + prefill).powf(0.6))
        };

        let input = s.input * (1.0 - hit);
        let prefill = batch * input / s.output;
        let (mut time, mut tpot, slowdown, first);
        if chunked {
            let room = (batched - batch).max(64.0);
            time = step(batch, prefill.min(room));
            slowdown = (prefill / room).max(1.0);
            tpot = step(batch, room.min(input * 1.3)) * 1.08;
            first = input / room * step(batch, room) + time;
        } else {
            let prompts = (batched / input.max(1.0)).floor().max(1.0);
            let whole = step(0.0, (input * prompts).min(batched));
            let decode = step(batch, 0.0);
            time = decode + whole * (batch / s.output) / prompts;
            slowdown = 1.0;
            tpot = decode + whole * 0.9;
            first = whole * 1.6;
        }
        if speculation != "none" {
            let k = number("speculation-tokens")?;
            let (accepted, extra) = if speculation == "ngram" {
                (0.32 * (1.0 + 0.03 * (number("ngram-max")? - 4.0)), 0.006)
            } else {
                (0.62, 0.05)
            };
            let gain = (1.0 - f64::powf(accepted, k + 1.0)) / (1.0 - accepted);
            let along = if chunked { prefill } else { 0.0 };
            let factor = step(batch * (1.0 + k), along) / step(batch, along) * (1.0 + extra * k) / gain;
            time *= factor;
            tpot *= factor;
        }
        let busy = (0.62 + 0.66 * preempted + 0.10 * (slowdown - 1.0)).min(0.97);
        let queue = 1.0 / (1.0 - busy).max(0.03);
        let waiting = ((256.0 - batch) / 256.0).max(0.0) * 1.1;
        Some(Truth {
            throughput: batch / (time * slowdown) * (1.0 - preempted) * replicas / s.output,
            ttft: first * (1.3 + 0.25 * queue) + waiting * s.output * time * 0.25 + preempted * 3.0,
            tpot: tpot * (1.0 + 1.5 * preempted),
        })
    }
}

fn space(scene: &Scene) -> SearchSpace {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, when: None };
    let when = |p: Parameter, condition| Parameter { when: Some(Expr::parse(condition).expect("it parses")), ..p };
    let numbers = |values: &[i64]| Domain::Ordinal { values: values.iter().map(|&v| Value::Int(v)).collect() };
    let words = |values: &[&str]| Domain::Categorical { values: values.iter().map(|&v| v.into()).collect() };
    let range = |low, high| Domain::Int { low, high, step: 1, log: false };
    let mut parameters = Vec::new();
    if scene.gpus > 1 {
        let sizes: Vec<i64> = [1, 2, 4, 8].into_iter().filter(|t| *t <= scene.gpus).collect();
        parameters.push(parameter("tensor-parallel", numbers(&sizes)));
    }
    parameters.extend([
        parameter("max-num-seqs", numbers(&[8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024])),
        parameter("max-num-batched-tokens", numbers(&[512, 1024, 2048, 4096, 8192, 16384, 32768])),
        parameter("gpu-memory-utilization", Domain::Float { low: 0.70, high: 0.98, step: None, log: false }),
        parameter("block-size", numbers(&[8, 16, 32, 64])),
        parameter("chunked-prefill", Domain::Bool),
        parameter("prefix-caching", Domain::Bool),
        parameter("kv-dtype", words(&["auto", "fp8", "fp8_e5m2"])),
        parameter("quantization", words(&["none", "fp8", "awq"])),
        parameter("attention", words(&["fa", "fi", "triton", "xf"])),
        parameter("enforce-eager", Domain::Bool),
        parameter("scheduler", words(&["fcfs", "priority"])),
        parameter("speculation", words(&["none", "ngram", "eagle"])),
        when(parameter("speculation-tokens", range(1, 8)), "speculation != \"none\""),
        when(parameter("ngram-max", range(2, 8)), "speculation == \"ngram\""),
        parameter("swap-gb", range(0, 16)),
    ]);
    let constraints = vec![Expr::parse("max-num-batched-tokens >= max-num-seqs").expect("it parses")];
    SearchSpace { parameters, constraints, fixed: Configuration::default() }
}
