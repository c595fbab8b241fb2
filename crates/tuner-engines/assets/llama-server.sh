#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
exec "$here/venv/bin/python" "$here/llama_server.py" "$@"
