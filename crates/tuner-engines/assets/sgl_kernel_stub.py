"""Stands in for SGLang's kernel package on machines without a GPU.

Why: the package index has that package for GPUs only, and on a CPU SGLang takes names ending in `_cpu` out of it while its
modules are loaded, whether they are used or not: speculative decoding, moves of cache blocks, linear attention. A server
that decodes one token at a time with PyTorch's own attention calls none of them.

Nothing is imitated: whatever is called raises, so a flag that needs a kernel ends the engine with a reason.
"""


def __getattr__(name):
    if not name.endswith("_cpu"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def kernel(*arguments, **options):
        raise NotImplementedError(f"sgl_kernel.{name} exists for GPUs only: leave out the flag that needs it")

    kernel.__name__ = name
    return kernel
