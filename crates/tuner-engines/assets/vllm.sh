#!/bin/sh
# A build without GPU code must be told so; the cache is kept small enough for a laptop unless asked otherwise.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
export VLLM_TARGET_DEVICE="${VLLM_TARGET_DEVICE:-cpu}"
export VLLM_CPU_KVCACHE_SPACE="${VLLM_CPU_KVCACHE_SPACE:-2}"
# Thousands of modules would be compiled anew at every start.
unset PYTHONDONTWRITEBYTECODE
exec "$here/venv/bin/python" "$here/venv/bin/vllm" "$@"
