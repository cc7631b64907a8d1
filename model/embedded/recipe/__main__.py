"""Trains the embedded Stable Diffusion model from nothing, or goes on where the last run stopped.

    python -m recipe sd [--out FOLDER] [--stop-after STAGE] [--processes N]

Work folder: $GLYPHWARD_RECIPE_WORK, or ~/.cache/glyphward/recipe-sd. It holds each stage's checkpoint and log. Stages 1
and 2 run side by side, stage 3 on N processes with averaged gradients; each is one thread, nice 19."""

import argparse
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile

import torch

from .training import work_folder

STAGES = ("autoencoder", "text_encoder", "denoiser")


def finished(stage):
    path = work_folder() / f"{stage}.training.pt"
    if not path.exists():
        return False
    steps = importlib.import_module(f"{__package__}.{stage}").STEPS
    return torch.load(path, weights_only=True, mmap=True)["step"] >= steps


def start(stage, rank=0, world=1, rendezvous=None):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RANK": str(rank), "WORLD_SIZE": str(world)}
    if rendezvous:
        environment["GLYPHWARD_RENDEZVOUS"] = str(rendezvous)
    command = ["nice", "-n", "19", sys.executable, "-W", "ignore", "-m", f"{__package__}.{stage}"]
    return subprocess.Popen(command, env=environment)


def wait_for(processes):
    """All or none: one that fails ends the others, and their checkpoint stands."""
    failed = False
    while processes and not failed:
        for process in list(processes):
            try:
                code = process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
            processes.remove(process)
            failed = failed or code != 0
    for process in processes:
        process.terminate()
        process.wait()
    if failed:
        sys.exit("a training process failed; run the same command again to go on from its last checkpoint")


def train(stop_after, processes):
    first = [stage for stage in STAGES[:2] if not finished(stage)]
    wait_for([start(stage) for stage in first])
    if stop_after != "denoiser" or finished("denoiser"):
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = pathlib.Path(folder) / "rendezvous"
        wait_for([start("denoiser", rank, processes, meeting) for rank in range(processes)])


def main():
    parser = argparse.ArgumentParser(prog="recipe", description=__doc__)
    parser.add_argument("model", choices=["sd"])
    parser.add_argument("--out", type=pathlib.Path, default=work_folder() / "checkpoint")
    parser.add_argument("--stop-after", choices=["text_encoder", "denoiser"], default="denoiser",
                        help="text_encoder: stages 1 and 2 only")  # fmt: skip
    parser.add_argument("--processes", type=int, default=2, help="of stage 3; one a core")
    arguments = parser.parse_args()
    train(arguments.stop_after, arguments.processes)
    if arguments.stop_after == "denoiser":
        run = [sys.executable, "-W", "ignore", "-m"]
        subprocess.run([*run, f"{__package__}.export", str(arguments.out)], check=True)
        subprocess.run([*run, f"{__package__}.evaluate", str(arguments.out), "--out", str(arguments.out) + "-evaluation"],
                       check=True)  # fmt: skip


if __name__ == "__main__":
    main()
