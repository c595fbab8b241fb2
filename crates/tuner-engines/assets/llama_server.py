"""llama-server's command line over the C++ server inside the xllamacpp package.

Takes the flag names of llama-server, sets the same parameters, starts the same server. A flag it does not know, or
cannot set, ends it with llama-server's own words and exit code 1, so that no flag is ever dropped in silence.
"""
import json
import os
import signal
import sys
import threading

# Killed on the spot, in the middle of C++ code as well: there is nothing to save.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.SIG_DFL)

import xllamacpp as x  # noqa: E402

CACHE = {
    w: getattr(x.ggml_type, "GGML_TYPE_" + w.upper())
    for w in "f32 f16 bf16 q8_0 q4_0 q4_1 iq4_nl q5_0 q5_1".split()
}
FLASH = {
    "on": x.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": x.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    "auto": x.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_AUTO,
}
LOAD = {
    "auto": x.llama_load_mode.LLAMA_LOAD_MODE_AUTO,
    "none": x.llama_load_mode.LLAMA_LOAD_MODE_NONE,
    "mmap": x.llama_load_mode.LLAMA_LOAD_MODE_MMAP,
    "mlock": x.llama_load_mode.LLAMA_LOAD_MODE_MLOCK,
    "mmap+mlock": x.llama_load_mode.LLAMA_LOAD_MODE_MMAP_MLOCK,
    "dio": x.llama_load_mode.LLAMA_LOAD_MODE_DIRECT_IO,
}
LAZY = {
    "on": x.llama_lazy_mode.LLAMA_LAZY_MODE_ON,
    "off": x.llama_lazy_mode.LLAMA_LAZY_MODE_OFF,
    "auto": x.llama_lazy_mode.LLAMA_LAZY_MODE_AUTO,
}
SPLIT = {w: getattr(x.llama_split_mode, "LLAMA_SPLIT_MODE_" + w.upper()) for w in "none layer row tensor".split()}
ROPE = {
    "none": x.llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_NONE,
    "linear": x.llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    "yarn": x.llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_YARN,
}
NUMA = {
    w: getattr(x.ggml_numa_strategy, "GGML_NUMA_STRATEGY_" + w.upper()) for w in "distribute isolate numactl".split()
}
POOLING = {
    w: getattr(x.llama_pooling_type, "LLAMA_POOLING_TYPE_" + w.upper()) for w in "none mean cls last rank".split()
}
PRIO = {
    str(n): getattr(x.ggml_sched_priority, "GGML_SCHED_PRIO_" + w)
    for n, w in ((-1, "LOW"), (0, "NORMAL"), (1, "MEDIUM"), (2, "HIGH"), (3, "REALTIME"))
    if hasattr(x.ggml_sched_priority, "GGML_SCHED_PRIO_" + w)
}
ZERO_ONE = {"0": False, "1": True}
ON_OFF = {"on": True, "off": False}

# Spellings, kind, parameter. Kinds: int, float, str, a table of words, "on", "off", or "pair" (the spellings after
# the bar switch it off). A parameter that begins with "!" is stored inverted.
OPTIONS = """
-t --threads                          int    cpuparams.n_threads
-tb --threads-batch                   int    cpuparams_batch.n_threads
--cpu-strict                          ZERO_ONE cpuparams.strict_cpu
--cpu-strict-batch                    ZERO_ONE cpuparams_batch.strict_cpu
--prio                                PRIO   cpuparams.priority
--prio-batch                          PRIO   cpuparams_batch.priority
--poll                                int    cpuparams.poll
--poll-batch                          int    cpuparams_batch.poll
-c --ctx-size                         int    n_ctx
-n --predict --n-predict              int    n_predict
-b --batch-size                       int    n_batch
-ub --ubatch-size                     int    n_ubatch
--keep                                int    n_keep
--swa-full                            on     swa_full
-fa --flash-attn                      FLASH  flash_attn_type
--perf | --no-perf                    pair   !no_perf
-e --escape | --no-escape             pair   escape
--rope-scaling                        ROPE   rope_scaling_type
--rope-freq-base                      float  rope_freq_base
--rope-freq-scale                     float  rope_freq_scale
--yarn-orig-ctx                       int    yarn_orig_ctx
--yarn-ext-factor                     float  yarn_ext_factor
--yarn-attn-factor                    float  yarn_attn_factor
--yarn-beta-slow                      float  yarn_beta_slow
--yarn-beta-fast                      float  yarn_beta_fast
-kvo --kv-offload | -nkvo --no-kv-offload pair !no_kv_offload
--repack | -nr --no-repack            pair   !no_extra_bufts
--no-host                             on     no_host
-ctk --cache-type-k                   CACHE  cache_type_k
-ctv --cache-type-v                   CACHE  cache_type_v
-lm --load-mode                       LOAD   load_mode
-lzm --lazy-mode                      LAZY   lazy_mode
--numa                                NUMA   numa
-ngl --gpu-layers --n-gpu-layers      layers n_gpu_layers
-sm --split-mode                      SPLIT  split_mode
-mg --main-gpu                        int    main_gpu
-fit --fit                            ON_OFF fit_params
-fitc --fit-ctx                       int    fit_params_min_ctx
--check-tensors                       on     check_tensors
--op-offload | --no-op-offload        pair   !no_op_offload
-m --model                            str    model.path
-hf -hfr --hf-repo                    str    model.hf_repo
-hff --hf-file                        str    model.hf_file
-mu --model-url                       str    model.url
-hft --hf-token                       str    hf_token
--offline                             on     offline
-lv --verbosity --log-verbosity       int    verbosity
-s --seed                             seed   sampling.seed
--ignore-eos                          on     sampling.ignore_eos
--temp --temperature                  float  sampling.temp
--top-k                               int    sampling.top_k
--top-p                               float  sampling.top_p
--min-p                               float  sampling.min_p
--repeat-last-n                       int    sampling.penalty_last_n
--repeat-penalty                      float  sampling.penalty_repeat
--presence-penalty                    float  sampling.penalty_present
--frequency-penalty                   float  sampling.penalty_freq
-bs --backend-sampling                on     sampling.backend_sampling
--kv-unified-per-slot                 int    kv_unified_per_slot
-ctxcp --ctx-checkpoints --swa-checkpoints int n_ctx_checkpoints
-cms --checkpoint-min-step            int    checkpoint_min_step
-cram --cache-ram                     int    cache_ram_mib
-kvu --kv-unified | -no-kvu --no-kv-unified pair kv_unified
--cache-idle-slots | --no-cache-idle-slots pair cache_idle_slots
--context-shift | --no-context-shift  pair   ctx_shift
-sp --special                         on     special
--warmup | --no-warmup                pair   warmup
--pooling                             POOLING pooling_type
-np --parallel                        int    n_parallel
-cb --cont-batching | -nocb --no-cont-batching pair cont_batching
-a --alias                            names  model_alias
--host                                hosts  hostnames
--port                                int    port
--reuse-port                          on     reuse_port
--api-prefix                          str    api_prefix
--ui --webui | --no-ui --no-webui     pair   ui
--embedding --embeddings              on     embedding
--api-key                             list   api_keys
-to --timeout                         timeout timeout_read
--sse-ping-interval                   int    sse_ping_interval
--threads-http                        int    n_threads_http
--cache-prompt | --no-cache-prompt    pair   cache_prompt
--cache-reuse                         int    n_cache_reuse
--metrics                             on     endpoint_metrics
--props                               on     endpoint_props
--slots | --no-slots                  pair   endpoint_slots
--slot-save-path                      str    slot_save_path
--jinja | --no-jinja                  pair   use_jinja
--chat-template                       str    chat_template
-sps --slot-prompt-similarity         float  slot_prompt_similarity
--sleep-idle-seconds                  int    sleep_idle_seconds
"""

WORDS = {
    name: globals()[name]
    for name in "CACHE FLASH LOAD LAZY SPLIT ROPE NUMA POOLING PRIO ZERO_ONE ON_OFF".split()
}
SECRET = {"hf-token", "api-key"}


class Refused(Exception):
    """The command line cannot be honoured; the text is what the user sees."""


def options():
    """Spelling to (canonical name, kind, parameter, switches on)."""
    table = {}
    for line in OPTIONS.strip().splitlines():
        *spellings, kind, target = line.split()
        on = True
        canonical = next(s for s in spellings if s.startswith("--")).lstrip("-")
        for spelling in spellings:
            if spelling == "|":
                on = False
            else:
                table[spelling] = (canonical, kind, target, on)
    # Older spellings of --load-mode.
    table["--no-mmap"] = ("load-mode", "none", "load_mode", True)
    table["--mmap"] = ("load-mode", "mmap", "load_mode", True)
    table["--mlock"] = ("load-mode", "mmap+mlock", "load_mode", True)
    return table


def place(params, target):
    *path, last = target.lstrip("!").split(".")
    for part in path:
        params = getattr(params, part)
    if not hasattr(params, last):
        raise AttributeError(last)
    return params, last


def store(params, target, value):
    owner, name = place(params, target)
    setattr(owner, name, (not value) if target.startswith("!") else value)


def convert(kind, text):
    if kind in WORDS:
        words = WORDS[kind]
        if text not in words:
            raise ValueError("unknown value '%s', use one of: %s" % (text, ", ".join(words)))
        return words[text]
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "layers":
        return {"auto": -1, "all": 1_000_000}.get(text) if text in ("auto", "all") else int(text)
    if kind == "seed":
        return int(text) & 0xFFFFFFFF
    if kind in ("list", "hosts"):
        return [part for part in text.split(",") if part]
    if kind == "names":
        return {part for part in text.split(",") if part}
    if kind == "timeout":
        return int(text)
    return text


def parse(params, argv):
    table = options()
    given = set()
    rest = list(argv)
    while rest:
        arg = rest.pop(0)
        if arg not in table:
            raise Refused("error: invalid argument: %s" % arg)
        canonical, kind, target, on = table[arg]
        try:
            place(params, target)
        except AttributeError:
            raise Refused("error: invalid argument: %s (this build of llama.cpp cannot set it)" % arg)
        given.add(canonical)
        if kind in ("on", "pair"):
            store(params, target, on)
            continue
        if kind in LOAD:
            store(params, target, LOAD[kind])
            continue
        if not rest:
            raise Refused('error while handling argument "%s": expected value for argument' % arg)
        text = rest.pop(0)
        try:
            value = convert(kind, text)
            store(params, target, value)
            if kind == "timeout":
                params.timeout_write = value
        except (ValueError, TypeError, OverflowError) as error:
            raise Refused('error while handling argument "%s": %s' % (arg, error))
    return given


def defaults(params, given):
    """What llama-server's own argument parser does after parsing."""
    if "port" not in given:
        params.port = 8080
    if "parallel" not in given or params.n_parallel < 0:
        params.n_parallel = 4
        if "kv-unified" not in given:
            params.kv_unified = True
    if "verbosity" not in given and os.environ.get("LLAMA_ARG_LOG_VERBOSITY", "").lstrip("-").isdigit():
        params.verbosity = int(os.environ["LLAMA_ARG_LOG_VERBOSITY"])
    batch = {"threads-batch": "n_threads", "poll-batch": "poll", "cpu-strict-batch": "strict_cpu", "prio-batch": "priority"}
    for flag, name in batch.items():
        if flag not in given:
            setattr(params.cpuparams_batch, name, getattr(params.cpuparams, name))


def effective(params):
    """Every parameter as the C++ structure holds it now, under llama-server's names."""
    out = {}
    for canonical, kind, target, on in options().values():
        if not on or kind in LOAD or canonical in SECRET:
            continue
        try:
            owner, name = place(params, target)
            value = getattr(owner, name)
        except AttributeError:
            continue
        if kind in WORDS:
            value = next((w for w, v in WORDS[kind].items() if v == value), str(value))
        elif target.startswith("!"):
            value = not value
        elif isinstance(value, (set, list)):
            value = ",".join(sorted(str(v) for v in value))
        elif isinstance(value, float):
            value = float("%.7g" % value)
        out[canonical] = value
    return out


def main(argv):
    if argv[:1] == ["--version"]:
        print("xllamacpp", x.__version__, getattr(x, "BUILD_INFO", ""))
        return 0
    if any(a in ("-h", "--help", "--usage") for a in argv):
        print("llama-server flags that this launcher can set:")
        print("\n".join("  " + " ".join(line.split()[:-2]) for line in OPTIONS.strip().splitlines()))
        return 0
    params = x.CommonParams()
    try:
        given = parse(params, argv)
    except Refused as refused:
        print(refused, file=sys.stderr, flush=True)
        return 1
    defaults(params, given)
    print("autotuner: effective parameters " + json.dumps(effective(params)), flush=True)
    try:
        server = x.Server(params)
    except Exception as error:  # The C++ server has logged the reason; this line names it.
        print("error: server did not start: %s" % error, file=sys.stderr, flush=True)
        return 1
    print("main: server is listening on %s" % server.listening_address, flush=True)
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Threads of a server that failed half-way must not keep the process.
    os._exit(code)
