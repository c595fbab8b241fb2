#!/bin/sh
# Without a GPU SGLang must be told so, and its kernel package, which has no build for CPUs, is stood in for: attention
# must be PyTorch's own then.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
export SGLANG_USE_CPU_ENGINE="${SGLANG_USE_CPU_ENGINE:-1}"
export PYTHONPATH="$here/stub"
# Thousands of modules would be compiled anew at every start.
unset PYTHONDONTWRITEBYTECODE
exec "$here/venv/bin/python" -m sglang.launch_server --attention-backend torch_native "$@"
