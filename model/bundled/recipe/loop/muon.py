"""Muon: momentum whose matrix is brought near an orthogonal one by five Newton-Schulz steps (K. Jordan, 2024)."""

import torch


def encoder_matrices(encoder):
    """Those of a text encoder that Muon moves: its embeddings and T5's biases for distances are tables, no matrices."""
    return [parameter for name, parameter in encoder.named_parameters()
            if parameter.ndim == 2 and not any(table in name for table in ("shared", "embed", "relative"))]  # fmt: skip


class Muon(torch.optim.Optimizer):
    """Matrices of one shape are brought near orthogonal ones together: many small products are slow on a GPU."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for param in group["params"]:
                if param.grad is not None:
                    shapes.setdefault(param.shape, []).append(param)
            for params in shapes.values():
                self._step_together(group, params)

    def _step_together(self, group, params):
        for param in params:
            if "momentum" not in self.state[param]:
                self.state[param]["momentum"] = torch.zeros_like(param)
        momenta = [self.state[param]["momentum"] for param in params]
        grads = [p.grad for p in params]
        torch._foreach_lerp_(momenta, grads, 1 - group["momentum"])
        updates = torch.stack(torch._foreach_lerp(grads, momenta, group["momentum"])).flatten(2)
        # The scale gives every matrix the root mean square of AdamW's updates.
        rate = group["lr"] * 0.2 * max(updates.shape[1:]) ** 0.5
        torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        moves = orthogonalize(updates) * -rate
        torch._foreach_add_(params, moves.reshape(-1, *params[0].shape).unbind())


def orthogonalize(matrices):
    """[N, rows, columns]"""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if tall else x
