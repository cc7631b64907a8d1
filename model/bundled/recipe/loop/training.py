"""What the trainings share: a schedule counted in steps, seeds made of the step's number, averaged gradients of
two processes, a moving average of the weights, and a checkpoint that a kill at any moment leaves whole.

Step s of process r draws its data and noise from seeds made of (stage, r, s) alone, and nothing depends on the clock:
a run that is killed and resumed does what the unbroken run does."""

import copy
import fcntl
import io
import os
import pathlib
import pickle
import sys
import time
import zlib

import torch
import torch.distributed

from .muon import Muon


MODEL = os.environ.get("GLYPHWARD_RECIPE_MODEL", "sd")  # "sd" or "sd3": the launcher says it
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ON_GPU = DEVICE.type == "cuda"


def sized(cpu, gpu):
    """A figure of the schedule that depends on what trains."""
    return gpu if ON_GPU else cpu


def work_folder():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    default = cache / f"glyphward/recipe-{MODEL}"
    folder = pathlib.Path(os.environ.get("GLYPHWARD_RECIPE_WORK", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def load(path):
    """What save_atomically wrote, on DEVICE."""
    try:
        return torch.load(path, map_location=DEVICE, weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:  # torch on other bytes
        sys.exit(f"{path} cannot be read ({type(error).__name__}: {error}); without it the stage is trained from nothing")


def load_encoder(reader, stage):
    """A text encoder without the heads that taught it; a checkpoint has the encoder alone."""
    weights = load(work_folder() / f"{stage}.pt")
    own = {name.removeprefix("encoder."): value for name, value in weights.items() if name.startswith("encoder.")}
    missing, unexpected = reader.encoder.load_state_dict(own, strict=False)
    # T5's embedding is one matrix under two names, of which a checkpoint holds one.
    if unexpected or set(missing) - set(reader.encoder._tied_weights_keys or ()):
        raise ValueError(f"{stage}.pt: missing {missing}, unexpected {unexpected}")
    return reader.encoder.to(DEVICE).eval().requires_grad_(False)


def load_trained(module, stage):
    """The module with the weights that the stage came to."""
    module.load_state_dict(load(work_folder() / f"{stage}.pt"))
    return module.to(DEVICE).eval().requires_grad_(False)


def save_bytes(value, path):
    """The file is the old one or the new one, never a part. One process writes."""
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def save_atomically(value, path):
    held = io.BytesIO()
    torch.save(value, held)
    save_bytes(held.getbuffer(), path)


def quick_arithmetic():
    """bfloat16 on a GPU, and where the processor multiplies its matrices (AMX): a step of the UNet takes 0.33 s instead
    of 0.58. Others train in float32."""
    if ON_GPU:
        return torch.autocast("cuda", torch.bfloat16)
    amx = "amx_bf16" in pathlib.Path("/proc/cpuinfo").read_text()
    return torch.autocast("cpu", torch.bfloat16, enabled=amx)


class Training:
    """One stage's optimizers, schedule, moving average and checkpoint.

    `matrices` go to Muon, the model's other parameters to AdamW. Rank and world come from the launcher's environment."""

    def __init__(self, stage, model, matrices, rate_matrices, rate_others, steps, decay_from, save_every=None):
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
        model.to(DEVICE)
        self.stage, self.model, self.steps, self.decay_from = stage, model, steps, decay_from
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.path, self.save_every = work_folder() / f"{stage}.training.pt", save_every or sized(50, 500)
        self._lock = open(work_folder() / f"{stage}.{self.rank}.lock", "w")
        try:  # a launcher that was killed leaves its children at work
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{stage}: another process trains it in {work_folder()}")
        given = (lambda rate: torch.tensor(rate, device=DEVICE)) if ON_GPU else float  # a recorded step reads it there
        others = [p for p in model.parameters() if all(p is not matrix for matrix in matrices)]
        self.muon = Muon(matrices, given(rate_matrices))
        self.adam = torch.optim.AdamW(others, given(rate_others), betas=(0.9, 0.98), weight_decay=0.0, fused=ON_GPU,
                                      capturable=ON_GPU)  # fmt: skip
        self.rates = {self.muon: rate_matrices, self.adam: rate_others}
        self.params = [*matrices, *others]
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.step, self.seconds, self.sums, self.count, self._recorded = 0, 0.0, {}, 0, {}
        if self.path.exists():
            self._load()
        elif (start := work_folder() / f"{stage}.start.pt").exists():  # recipe.take
            for module in (model, self.average):
                module.load_state_dict(load(start))
        if self.world > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group(
                "gloo",
                init_method="file://" + os.environ["GLYPHWARD_RENDEZVOUS"],
                rank=self.rank,
                world_size=self.world,
            )
        self._started = time.monotonic() - self.seconds
        self.say(f"{stage}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, step {self.step} of "
                 f"{steps}")  # fmt: skip

    def say(self, line):
        if self.rank == 0:
            print(line, file=sys.stderr, flush=True)
            with open(work_folder() / f"{self.stage}.log", "a") as log:
                log.write(line + "\n")

    def each_step(self):
        """Yields the share of the schedule that is done, with torch's noise seeded for the step."""
        while self.step < self.steps:
            done = self.step / self.steps
            torch.manual_seed(zlib.crc32(f"{self.stage} {self.rank} {self.step}".encode()))
            warm = min(1.0, (self.step + 1) / 100)
            decay = 1.0 if done < self.decay_from else max(0.02, (1 - done) / (1 - self.decay_from))
            for optimizer, rate in self.rates.items():
                for group in optimizer.param_groups:
                    if ON_GPU:
                        group["lr"].fill_(rate * warm * decay)
                    else:
                        group["lr"] = rate * warm * decay
            yield done

    def run(self, compute, *tensors):
        """One step: `compute` of the tensors gives the loss and a dict of figures to be watched. Logs and saves when
        it is time."""
        loss, figures = (self._replay if ON_GPU else self._learn)(compute, tensors)
        self.step += 1
        weight = min(0.998, (self.step + 1) / (self.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - weight)
        self.count += 1
        for name, value in {"loss": loss, **figures}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()  # on the device: to read it is to wait for it
        if self.step % sized(50, 250) == 0 or self.step == self.steps:
            means = "  ".join(f"{name} {total.item() / self.count:.4f}" for name, total in self.sums.items())
            self.say(f"{self.stage} {self.step}/{self.steps}  {time.monotonic() - self._started:.0f} s  {means}")
            self.sums, self.count = {}, 0
        if self.rank == 0 and (self.step % self.save_every == 0 or self.step == self.steps):
            self._save()

    def _learn(self, compute, tensors):
        """Backward, averaged gradients, and one step of both optimizers."""
        for param in self.params:
            param.grad = None
        loss, figures = compute(*tensors)
        loss.backward()
        if self.world > 1:
            flat = torch.cat([p.grad.reshape(-1) for p in self.params])
            torch.distributed.all_reduce(flat)
            flat /= self.world
            for param, part in zip(self.params, flat.split([p.numel() for p in self.params])):
                param.grad.copy_(part.view_as(param))
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        self.muon.step()
        self.adam.step()
        return loss, figures

    def _replay(self, compute, tensors):
        """The same on a GPU, recorded once for each shape of the tensors: to launch a step's thousands of kernels one by
        one takes several times as long as they run. The three steps before the recording are of the same batch."""
        shapes = tuple(tensor.shape for tensor in tensors)
        if shapes not in self._recorded:
            inputs, graph, beside = [tensor.clone() for tensor in tensors], torch.cuda.CUDAGraph(), torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(3):
                    self._learn(compute, inputs)
            torch.cuda.current_stream().wait_stream(beside)
            torch.cuda.empty_cache()  # the recording has memory of its own
            with torch.cuda.graph(graph):
                outputs = self._learn(compute, inputs)
            self._recorded[shapes] = inputs, graph, outputs
        inputs, graph, outputs = self._recorded[shapes]
        for place, tensor in zip(inputs, tensors):
            place.copy_(tensor)
        graph.replay()
        return outputs

    def _save(self):
        save_atomically(
            {
                "step": self.step,
                "seconds": time.monotonic() - self._started,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "muon": self.muon.state_dict(),
                "adam": self.adam.state_dict(),
            },
            self.path,
        )
        save_atomically(self.average.state_dict(), work_folder() / f"{self.stage}.pt")

    def _load(self):
        state = load(self.path)
        if "model" not in state:  # recipe.take
            sys.exit(f"{self.path} says that the stage was finished at step {state['step']} of what are now {self.steps}, and "
                     "has no training to go on with; remove it to train the stage from nothing")  # fmt: skip
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.step, self.seconds = state["step"], state["seconds"]
