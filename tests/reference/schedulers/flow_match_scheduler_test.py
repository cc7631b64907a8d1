"""FlowMatchEulerDiscreteScheduler against diffusers, and who may ask for it. (DDPM's noise is compared in parity_if_test.py.)"""

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from scheduler_test import ours, pseudo_network

NAME = "FlowMatchEulerDiscreteScheduler"


def test_equals_diffusers(tmp_path):
    jobs = [({"_class_name": NAME, "shift": shift, "num_train_timesteps": train}, "", steps)
            for shift in (1.0, 3.0, 7.5) for train in (1000, 400) for steps in (1, 4, 10, 28, 50)]
    for (config, _, steps), got in zip(jobs, ours(jobs, tmp_path), strict=True):
        theirs = FlowMatchEulerDiscreteScheduler.from_config(config)
        theirs.set_timesteps(steps)
        assert got["timesteps"] == pytest.approx(theirs.timesteps.double().tolist(), rel=1e-7), config
        assert not got["integral"] and got["init_noise_sigma"] == 1
        torch.manual_seed(7)
        latents = torch.randn(2, 4, 4, 4)
        for t in theirs.timesteps:
            latents = theirs.step(pseudo_network(latents, t), t, latents, return_dict=False)[0]
        assert (torch.tensor(got["latents"]).reshape(latents.shape) - latents.double()).abs().max() <= 1e-5


def test_stated_facts(tmp_path):
    """The check of docs/METHOD.md, section 6: the last sigma of 28 is not 3/1000."""
    timesteps = ours([({"_class_name": NAME, "shift": 3.0}, "", 28)], tmp_path)[0]["timesteps"]
    assert timesteps[0] == 1000 and timesteps[1] == pytest.approx(987.38, abs=0.01)
    assert timesteps[-2] == pytest.approx(110.906, abs=0.01) and timesteps[-1] == pytest.approx(8.9286, abs=0.001)


def test_what_is_not_implemented_is_refused_by_name(tmp_path):
    wrong = [({key: True}, key) for key in ("use_dynamic_shifting", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
                                            "invert_sigmas", "stochastic_sampling")]
    wrong += [({"shift_terminal": 0.1}, "shift_terminal"), ({"shift": 0}, "shift"), ({"shift": -3}, "shift")]
    for (options, key), got in zip(wrong, ours([({"_class_name": NAME, **options}, "", 10) for options, _ in wrong], tmp_path)):
        assert key in got["error"] and ".json" in got["error"], (options, got)


def test_networks_of_one_kind_take_no_scheduler_of_another(tmp_path):
    diffusion, flow, learned = {"_class_name": "DDIMScheduler"}, {"_class_name": NAME}, {"_class_name": "DDPMScheduler"}
    for got in ours([(diffusion, NAME, 10), (flow, "EulerDiscreteScheduler", 10), (diffusion, "DDPMScheduler", 10), (learned, "DDIMScheduler", 10)], tmp_path):
        assert "kind" in got["error"], got
