//! Log tails and the class that each of them means. Logs in `tests/logs` are recorded from real engines; the rest are
//! the engines' own messages on hardware that a test machine lacks.

use tuner_core::FailureClass::{self, *};
use tuner_core::engine::EngineName;
use tuner_engines::engine;
use tuner_engines::exit::{ExitPhase, ExitReport};

fn classify(log: &str, phase: ExitPhase, exit_code: Option<i32>, signal: Option<i32>) -> tuner_core::Failure {
    let lines: Vec<String> = log.lines().map(str::to_owned).collect();
    engine(EngineName::Vllm).classify_exit(&ExitReport { exit_code, signal, log_tail: &lines, phase })
}

macro_rules! recorded {
    ($($file:literal => $class:ident),* $(,)?) => {
        &[$(($file, include_str!(concat!("../logs/", $file)), $class)),*]
    };
}

// R14.7
#[test]
fn recorded_deaths_are_explained() {
    let cases: &[(&str, &str, FailureClass)] = recorded![
        "llama.cpp-unknown.log" => EngineArguments,
        "llama.cpp-badint.log" => EngineArguments,
        "llama.cpp-badchoice.log" => EngineArguments,
        "llama.cpp-nofile.log" => ModelMissing,
        "llama.cpp-notgguf.log" => ModelMissing,
        "llama.cpp-quantised-v.log" => EngineArguments,
        "llama.cpp-port.log" => PortConflict,
        "vllm-bad-flag.log" => EngineArguments,
        "vllm-bad-int.log" => EngineArguments,
        "vllm-bad-choice.log" => EngineArguments,
        "sglang-badflag.log" => EngineArguments,
        "sglang-badchoice.log" => EngineArguments,
        "vllm-nomodel.log" => ModelMissing,
        "vllm-noweights.log" => ModelMissing,
    ];
    let mut table = String::new();
    for (file, log, class) in cases {
        let failure = classify(log, ExitPhase::Load, Some(1), None);
        assert_eq!(failure.class, *class, "{file}: {}", failure.message);
        table.push_str(&format!("{file}: {:?}: {}\n", failure.class, failure.message));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn known_messages_are_explained() {
    use ExitPhase::{Load, Serve};
    let cases: &[(&str, ExitPhase, FailureClass)] = &[
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.21 GiB is free.",
            Load,
            OomLoad,
        ),
        (
            "(EngineCore_DP0 pid=1) ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB.",
            Serve,
            OomRun,
        ),
        (
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
            Load,
            OomLoad,
        ),
        (
            "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.72 GiB).",
            Load,
            OomLoad,
        ),
        (
            "ValueError: Free memory on device (30.1/79.1 GiB) on startup is less than desired GPU memory utilization (0.9, 71.2 GiB).",
            Load,
            OomLoad,
        ),
        (
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: self.server_args.mem_fraction_static=0.5",
            Load,
            OomLoad,
        ),
        (
            "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 8192.00 MiB on device 0: cudaMalloc failed: out of memory",
            Load,
            OomLoad,
        ),
        ("ggml_gallocr_reserve_n: failed to allocate CPU buffer of size 3435973836", Load, OomLoad),
        (
            "RuntimeError: [enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9663676416 bytes.",
            Load,
            OomLoad,
        ),
        ("OSError: [Errno 12] Cannot allocate memory", Serve, OomRun),
        ("launch_server.py: error: unrecognized arguments: --mem-fraction 0.8", Load, EngineArguments),
        (
            "launch_server.py: error: argument --schedule-policy: invalid choice: 'x' (choose from 'lpm', 'fcfs')",
            Load,
            EngineArguments,
        ),
        ("Error: No such option: --max_batchsize Did you mean --max_batch_size?", Load, EngineArguments),
        ("error: unexpected argument '--max-num-sequences' found", Load, EngineArguments),
        ("pydantic_core._pydantic_core.ValidationError: 1 validation error for SchedulerConfig", Load, EngineArguments),
        ("autotuner sim-engine: error: unrecognized arguments: --max-num-sequences", Load, EngineArguments),
        ("  Value error, max_num_batched_tokens (1024) is smaller than max_model_len (2048).", Load, EngineArguments),
        ("World size (4) is larger than the number of available GPUs (1) in this node.", Load, EngineArguments),
        ("--tensor-parallel-size and --tp-size set the same thing", Load, EngineArguments),
        ("ValueError: list index out of range", Serve, EngineCrash),
        ("OSError: [Errno 98] Address already in use", Load, PortConflict),
        (
            "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
            Load,
            PortConflict,
        ),
        (
            "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:3356, unhandled system error",
            Load,
            MultiGpuInit,
        ),
        (
            "[2025-06-01 10:00:00] Received sigquit from a child process. It usually means the child failed.",
            Load,
            MultiGpuInit,
        ),
        ("huggingface_hub.errors.GatedRepoError: 403 Client Error. Cannot access gated repo for url", Load, HubAccess),
        ("requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url", Load, HubAccess),
        ("OSError: We couldn't connect to the hub to load the files", Load, HubAccess),
        (
            "FileNotFoundError: No such file or directory: \"/models/x/model-00002-of-00004.safetensors\"",
            Load,
            ModelMissing,
        ),
        ("OSError: /models/x does not appear to have a file named config.json.", Load, ModelMissing),
        ("ModuleNotFoundError: No module named 'flashinfer'", Load, EngineMissing),
        (
            "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
            Load,
            EngineMissing,
        ),
        ("RuntimeError: CUDA error: an illegal memory access was encountered", Serve, EngineCrash),
        ("/build/ggml/src/ggml.c:4321: GGML_ASSERT(n_tokens <= n_batch) failed", Serve, EngineCrash),
        ("something nobody has seen", Serve, EngineCrash),
    ];
    for (line, phase, class) in cases {
        let failure = classify(line, *phase, Some(1), None);
        assert_eq!(failure.class, *class, "{line}");
    }
}

#[test]
fn a_root_cause_wins_over_what_follows_from_it() {
    let log = "(Worker) ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1 GiB.\n\
               [2025] Received sigquit from a child process. It usually means the child failed.\n\
               RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}";
    assert_eq!(classify(log, ExitPhase::Load, Some(1), None).class, OomLoad);
}

#[test]
fn a_root_cause_far_above_the_end_decides_and_stays_with_the_failure() {
    let cause = "ValueError: No available memory for the cache blocks.";
    let log = |between: usize| {
        let frames = "  File \"core.py\", line 1, in run\n".repeat(between);
        format!("loading\n(EngineCore pid=7) ERROR {cause}\n{frames}RuntimeError: See root cause above.")
    };
    for (between, kept) in [(10, 13), (38, 40), (39, 41), (40, 42), (200, 42)] {
        let failure = classify(&log(between), ExitPhase::Load, Some(1), None);
        assert_eq!((failure.class, failure.message.as_str()), (OomLoad, cause), "{between}");
        assert_eq!(failure.log_tail.len(), kept, "{between}");
        assert_eq!(failure.log_tail.iter().filter(|line| line.ends_with(cause)).count(), 1, "{between}");
        assert_eq!(failure.log_tail.contains(&"…".to_owned()), kept == 42, "{between}");
    }
}

#[test]
fn the_log_of_an_engine_that_worked_proves_nothing() {
    let logs = [
        include_str!("../logs/vllm-ready.log"),
        include_str!("../logs/llama.cpp-ready.log"),
        include_str!("../logs/sglang-ready.log"),
        &format!("WARNING ImportError: no such kernel\n{}", "answering\n".repeat(50)),
    ];
    for log in logs {
        let failure = classify(log, ExitPhase::Serve, Some(1), None);
        assert_eq!(failure.class, EngineCrash, "{}", failure.message);
    }
}

/// SGLang 0.5.23 kills itself when its scheduler has died: that is neither the kernel's doing nor a matter of GPUs.
#[test]
fn sglang_killing_itself_is_explained_by_what_its_process_died_of() {
    let log = |rank: &str| {
        format!(
            "[2026-11-27 02:39:30{rank}] Scheduler hit an exception: Traceback (most recent call last):\n\
             RuntimeError: no kernel for this shape\n\
             [2026-11-27 02:39:36] SIGQUIT received. signum=None, frame=None. It usually means one child failed.\n\
             [2026-11-27 02:39:41] kill_process_tree called: parent_pid=8139, include_parent=True, pid=8139"
        )
    };
    let alone = classify(&log(""), ExitPhase::Load, None, Some(9));
    assert_eq!(alone.class, EngineCrash);
    assert!(alone.message.ends_with("RuntimeError: no kernel for this shape"), "{}", alone.message);
    assert_eq!(classify(&log(" TP1"), ExitPhase::Load, None, Some(9)).class, MultiGpuInit);
}

#[test]
fn a_kill_that_nobody_sent_is_the_kernels() {
    for (code, signal) in [(None, Some(9)), (Some(137), None)] {
        assert_eq!(classify("loading weights", ExitPhase::Load, code, signal).class, OomLoad);
        assert_eq!(classify("loading weights", ExitPhase::Serve, code, signal).class, OomRun);
    }
    let crash = classify("loading", ExitPhase::Load, None, Some(4));
    assert_eq!(crash.class, EngineCrash);
    assert!(crash.message.contains("SIGILL"), "{}", crash.message);
}

// R14.1
#[test]
fn missing_shards_are_named() {
    let log = "Loading safetensors checkpoint shards: 50%\n\
               FileNotFoundError: No such file or directory: \"/models/x/model-00002-of-00004.safetensors\"\n\
               missing: model-00003-of-00004.safetensors";
    let failure = classify(log, ExitPhase::Load, Some(1), None);
    assert_eq!(failure.class, ModelMissing);
    assert!(failure.message.contains("model-00002-of-00004.safetensors"), "{}", failure.message);
    assert!(failure.message.contains("model-00003-of-00004.safetensors"), "{}", failure.message);
    assert_eq!(failure.log_tail.len(), 3);
}
