"""A GPU is looked for in LibTorch's CUDA library, and used where there is one.

The reference's torch comes with every CUDA library, so that even without a GPU it can be seen that ours opens them."""

import os
import pathlib
import subprocess
import sys

import pytest
import torch

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])


def generate(tmp_path, device, dtype="float32"):
    libraries = f"{pathlib.Path(torch.__file__).parent / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    picture = tmp_path / f"{device}-{dtype}.safetensors"
    done = subprocess.run([BUILD / "glyphward", "generate", "--local", "--unguarded", "--device", device, "--dtype", dtype,
                           "-o", picture, 'a red sign that says "hello"'], capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": libraries})  # fmt: skip
    return done, picture


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_cuda_library_itself_says_so(tmp_path):
    done, _ = generate(tmp_path, "cuda")
    assert done.returncode != 0
    assert "found 0 CUDA devices" in done.stderr


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-3), ("float16", 0.02), ("bfloat16", 0.05)])
def test_the_gpu_draws_the_processors_picture(tmp_path, dtype, tolerance):
    from safetensors.torch import load_file

    pictures = []
    for device, of in (("cpu", "float32"), ("cuda", dtype)):
        done, picture = generate(tmp_path, device, of)
        assert done.returncode == 0, done.stderr
        pictures.append(load_file(picture)["image"])
    difference = (pictures[0] - pictures[1]).abs()
    assert difference.mean() < tolerance


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q"]))
