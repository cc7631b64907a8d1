"""The examples that a stage is trained on. They are made in chunks while it trains, by other processes where a GPU
trains, and the newest are held on the device, where each is seen several times, with other noise each time.

Chunk k is made from (stage, rank, k) alone, and which chunks are held depends on the step's number alone."""

import dataclasses
import functools
import multiprocessing
import os
import random
import zlib

import cv2
import numpy as np
import torch

from .training import DEVICE, ON_GPU


@dataclasses.dataclass(frozen=True)
class Supply:
    """A chunk of `size` examples comes every `every` steps; `first` of them come before step 0, `held` are kept."""

    size: int
    every: int = 1
    first: int = 1
    held: int = 1


def make_chunk(make, stage, rank, supply, steps, k):
    """`make` is given a random.Random, the number of examples, and the share of the schedule at which they come."""
    rng = random.Random(zlib.crc32(f"{stage} {rank} chunk {k}".encode()))
    return [np.asarray(x) for x in make(rng, supply.size, max(0, k - supply.first) * supply.every / steps)]


class Stock:
    """`make` runs in another process and gives arrays [size, ...]; `prepare` turns them into the tensors that are held,
    on the device."""

    def __init__(self, training, make, supply, prepare=lambda *arrays: arrays):
        self.supply, self.prepare, self.held, self.end = supply, prepare, None, None
        self.chunk = functools.partial(make_chunk, make, training.stage, training.rank, supply, training.steps)
        self.last = supply.first + training.steps // supply.every

    def _begin(self, step):
        self.end = max(0, self._wanted(step) - self.supply.held)
        todo = range(self.end, self.last)
        if not ON_GPU:
            self.chunks = map(self.chunk, todo)
            return
        processes = int(os.environ.get("GLYPHWARD_RECIPE_MAKERS", max(1, os.cpu_count() // 2)))
        self.makers = multiprocessing.get_context("spawn").Pool(processes, cv2.setNumThreads, (1,))
        self.chunks = self.makers.imap(self.chunk, todo)

    def _wanted(self, step):
        return self.supply.first + step // self.supply.every

    @torch.no_grad()
    def _take(self):
        tensors = self.prepare(*(torch.from_numpy(array).to(DEVICE) for array in next(self.chunks)))
        if self.held is None:
            self.held = [tensor.new_empty(self.supply.held, *tensor.shape) for tensor in tensors]
        for place, tensor in zip(self.held, tensors):
            place[self.end % self.supply.held] = tensor
        self.end += 1

    def batch(self, step, count):
        """`count` of the examples held at this step, each at most once: a tensor [count, ...] of each kind."""
        if self.end is None:
            self._begin(step)
        while self.end < self._wanted(step):
            self._take()
        filled = min(self.end, self.supply.held)
        chosen = torch.randperm(filled * self.supply.size, device=DEVICE)[:count]
        return [tensor[:filled].flatten(0, 1)[chosen] for tensor in self.held]
