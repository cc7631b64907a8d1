"""Trains a bundled model from nothing, or goes on where the last run stopped.

    python -m recipe sd|sd3 [--out FOLDER] [--only-first] [--processes N]

Work folder: $GLYPHWARD_RECIPE_WORK, or ~/.cache/glyphward/recipe-sd (recipe-sd3). It holds each stage's checkpoint and
log. Stages of one row run side by side, what draws on N processes with averaged gradients; each is one thread, nice 19.
Where PyTorch sees a GPU, all is trained there, what draws by one process, with larger batches and more of them."""

import argparse
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile

# A stage is a module of stages/, and what is given to it. Each row of them needs those before.
STAGES = {"sd": [["autoencoder", "text_encoder"], ["denoiser"]],
          "sd3": [["autoencoder", "clips clip", "clips clip_2", "t5"], ["transformer"],
                  ["refine refined_clip", "refine refined_clip_2", "refine refined_t5"]]}  # fmt: skip
DRAWS = ["denoiser", "transformer"]


def finished(stage):
    from .loop.training import load, work_folder

    path = work_folder() / f"{stage.split()[-1]}.training.pt"
    if not path.exists():
        return False
    steps = importlib.import_module(f"{__package__}.stages.{stage.split()[0]}").STEPS
    return load(path)["step"] >= steps


def start(stage, rank=0, world=1, rendezvous=None):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RANK": str(rank), "WORLD_SIZE": str(world)}
    if rendezvous:
        environment["GLYPHWARD_RENDEZVOUS"] = str(rendezvous)
    module, *arguments = stage.split()
    command = ["nice", "-n", "19", sys.executable, "-W", "ignore", "-m", f"{__package__}.stages.{module}", *arguments]
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


def train(stages, only_first, processes):
    for row in stages[:1] if only_first else stages:
        left = [stage for stage in row if not finished(stage)]
        if left and left[0] in DRAWS:
            with tempfile.TemporaryDirectory() as folder:
                meeting = pathlib.Path(folder) / "rendezvous"
                wait_for([start(left[0], rank, processes, meeting) for rank in range(processes)])
        else:
            wait_for([start(stage) for stage in left])


def main():
    parser = argparse.ArgumentParser(prog="recipe", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("model", choices=sorted(STAGES))
    parser.add_argument("--out", type=pathlib.Path, help="the checkpoint (default: checkpoint in the work folder)")
    parser.add_argument("--only-first", action="store_true", help="all stages before what draws")
    parser.add_argument("--processes", type=int, help="of what draws (default: 2, one a core; 1 on a GPU)")
    arguments = parser.parse_args()
    os.environ["GLYPHWARD_RECIPE_MODEL"] = arguments.model
    from .loop.training import sized, work_folder  # after the model is known

    train(STAGES[arguments.model], arguments.only_first, arguments.processes or sized(2, 1))
    if arguments.only_first:
        return

    out = arguments.out or work_folder() / "checkpoint"
    run = [sys.executable, "-W", "ignore", "-m"]
    subprocess.run([*run, f"{__package__}.export", str(out)], check=True)
    subprocess.run([*run, f"{__package__}.measure.evaluate", str(out), "--out", f"{out}-evaluation"], check=True)


if __name__ == "__main__":
    main()
