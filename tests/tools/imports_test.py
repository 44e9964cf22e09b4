#!/usr/bin/env python3
"""That imports.py sees what it is there for."""

from imports import circles, problem_with

good = [("tools/main.cpp", "core/files.h"), ("train/trainer.h", "train/model/engine.h"),
        ("train/model/engine.h", "train/faces/loader.h"), ("kernels/pool/pool.cpp", "kernels/check.h"),
        ("kernels/pool/pool.cpp", "kernels/pool/pool.h"), ("kernels/matmul/matmul_cpu.cpp", "kernels/product/panels.h"), ("kernels/pool/pool_cuda.cu", "kernels/simt/simt.h"),
        ("tests/core/files_test.cpp", "tools/options.h"), ("layers/linear.cpp", "kernels/matmul/matmul.h")]
bad = [("core/files.h", "kernels/check.h"), ("layers/layer.h", "siamese/pairs.h"),
       ("train/faces/loader.h", "train/model/engine.h"), ("train/model/engine.h", "train/trainer.h"),
       ("train/trainer.h", "tools/options.h"), ("kernels/pool/pool.h", "kernels/matmul/matmul.h"),
       ("core/files.h", "tests/support/numbers.h"), ("kernels/simt/simt.h", "kernels/pool/pool.h"),
       ("kernels/product/panels.h", "kernels/conv2d/conv2d.h")]
for pair in good:
    assert problem_with(*pair) is None, pair
for pair in bad:
    assert problem_with(*pair), pair
assert circles({"a": ["b"], "b": ["c"], "c": []}) == []
assert circles({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b -> c -> b"]
