//! The simulated engine: an OpenAI-compatible server whose batching, KV cache and speed are a pure model.
