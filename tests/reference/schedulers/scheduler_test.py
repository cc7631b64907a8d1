"""model/scheduler against diffusers: the same timesteps, and latents within 1e-5 after all steps of a pseudo-network."""

import itertools
import json
import os
import pathlib
import subprocess
import warnings

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline

warnings.filterwarnings("ignore")
BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
CLASSES = {c.__name__: c for c in (DDIMScheduler, PNDMScheduler, EulerDiscreteScheduler, DPMSolverMultistepScheduler)}
STEPS = (10, 25, 50)
SPACINGS = ("leading", "trailing", "linspace")
STABLE_DIFFUSION = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}


def pseudo_network(sample, timestep):
    return 0.8 * torch.sin(1.3 * sample + timestep.to(torch.float32) / 250.0) + 0.2 * sample


def pipeline(scheduler):
    """The pipeline's corrections of the config are part of what is compared."""
    return StableDiffusionPipeline(vae=None, text_encoder=None, tokenizer=None, unet=None, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def theirs(config, name, steps):
    made = pipeline(CLASSES[config["_class_name"]].from_config(config)).scheduler
    if name:
        made = CLASSES[name].from_config(made.config)
    made.set_timesteps(steps)
    torch.manual_seed(7)
    latents = torch.randn(2, 4, 4, 4) * made.init_noise_sigma
    for t in made.timesteps:
        latents = made.step(pseudo_network(made.scale_model_input(latents, t), t), t, latents, return_dict=False)[0]
    return made, latents


def ours(jobs, folder):
    """jobs: (config, name, steps). One line of the C++ program for each."""
    asked = []
    for i, (config, name, steps) in enumerate(jobs):
        file = folder / f"{i}.json"
        file.write_text(json.dumps(config))
        asked.append({"file": str(file), "name": name, "steps": steps})
    run = subprocess.run([BUILD / "scheduler_steps"], input=json.dumps(asked), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def compare(jobs, folder):
    worst = 0.0
    for (config, name, steps), got in zip(jobs, ours(jobs, folder), strict=True):
        label = f"{name} {steps} {config}"
        assert "error" not in got, f"{got} for {label}"
        made, latents = theirs(config, name, steps)
        # Karras' timesteps come from numpy's float32 logarithm, whose last bit depends on the processor.
        assert got["timesteps"] == pytest.approx(made.timesteps.double().tolist(), rel=1e-6 if config.get("use_karras_sigmas") else 0), label
        assert got["integral"] == (not made.timesteps.is_floating_point()), label
        assert got["init_noise_sigma"] == pytest.approx(float(made.init_noise_sigma), rel=1e-6), label
        assert latents.isfinite().all(), label
        difference = (torch.tensor(got["latents"]).reshape(latents.shape) - latents.double()).abs().max().item()
        worst = max(worst, difference / max(1.0, latents.abs().max().item()))
        assert difference <= 1e-5 * max(1.0, latents.abs().max().item()), f"{difference} for {label}"
    print(f"{len(jobs)} configurations, largest difference {worst:.2e}")


def combinations(name, options, **fixed):
    for values in itertools.product(*options.values()):
        yield {"_class_name": name, **STABLE_DIFFUSION, **dict(zip(options, values)), **fixed}


def with_steps(configs, steps=STEPS):
    return [(config, "", n) for config in configs for n in steps]


def test_ddim(tmp_path):
    options = {"timestep_spacing": SPACINGS, "prediction_type": ("epsilon", "v_prediction", "sample"), "rescale_betas_zero_snr": (False, True), "set_alpha_to_one": (False, True)}
    # Epsilon at zero signal divides by zero: diffusers gives NaN, ours refuses (below).
    configs = [c for c in combinations("DDIMScheduler", options) if not (c["prediction_type"] == "epsilon" and c["rescale_betas_zero_snr"] and c["timestep_spacing"] != "leading")]
    compare(with_steps(configs), tmp_path)


def test_pndm(tmp_path):
    options = {"timestep_spacing": SPACINGS, "prediction_type": ("epsilon", "v_prediction"), "skip_prk_steps": (True, False), "set_alpha_to_one": (False, True)}
    compare(with_steps(combinations("PNDMScheduler", options)), tmp_path)


def test_euler_discrete(tmp_path):
    options = {"timestep_spacing": SPACINGS, "prediction_type": ("epsilon", "v_prediction", "sample"), "rescale_betas_zero_snr": (False, True), "use_karras_sigmas": (False, True), "final_sigmas_type": ("zero", "sigma_min")}
    configs = list(combinations("EulerDiscreteScheduler", options))
    configs += combinations("EulerDiscreteScheduler", {"timestep_spacing": SPACINGS}, interpolation_type="log_linear")
    configs += combinations("EulerDiscreteScheduler", {"timestep_spacing": SPACINGS}, use_karras_sigmas=True, sigma_min=0.03, sigma_max=10)
    compare(with_steps(configs), tmp_path)


def test_dpmsolver_multistep(tmp_path):
    options = {"timestep_spacing": SPACINGS, "prediction_type": ("epsilon", "v_prediction", "sample"), "rescale_betas_zero_snr": (False, True), "use_karras_sigmas": (False, True), "final_sigmas_type": ("zero", "sigma_min"), "lower_order_final": (True, False)}
    configs = list(combinations("DPMSolverMultistepScheduler", options))
    configs += combinations("DPMSolverMultistepScheduler", {"solver_type": ("midpoint", "heun"), "solver_order": (1, 2), "euler_at_final": (False, True)})
    configs += combinations("DPMSolverMultistepScheduler", {"timestep_spacing": SPACINGS}, beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1)
    # Karras' first timesteps round to the same number at times; diffusers then starts at the second and runs out of sigmas.
    compare([job for job in with_steps(configs) if accepted(*job)], tmp_path)


def accepted(config, name, steps):
    try:
        return theirs(config, name, steps)[1].isfinite().all()
    except IndexError:
        return False


@pytest.mark.parametrize("betas", [{"beta_schedule": "linear"}, {"beta_schedule": "squaredcos_cap_v2"}, {"trained_betas": [0.001 + 0.00002 * i for i in range(600)], "num_train_timesteps": 600}, {}])
def test_noise_schedules(betas, tmp_path):
    fixed = {k: v for k, v in STABLE_DIFFUSION.items() if "trained_betas" not in betas and not k.startswith("beta") or k == "steps_offset"}
    jobs = [({"_class_name": name, **fixed, **betas}, "", n) for name in CLASSES for n in STEPS]
    jobs += [({"_class_name": name, **fixed, **betas, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}, "", 25) for name in CLASSES if name != "PNDMScheduler"]
    compare(jobs, tmp_path)


@pytest.mark.parametrize("name", ["DDIMScheduler", "DPMSolverMultistepScheduler"])
def test_thresholding(name, tmp_path):
    compare([({"_class_name": name, **STABLE_DIFFUSION, "thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9}, "", n) for n in STEPS], tmp_path)


def test_clip_sample_only_after_a_switch(tmp_path):
    """The pipeline switches clipping off; from_config brings it back where the file did not name it."""
    compare([({"_class_name": "DDIMScheduler", **STABLE_DIFFUSION, "clip_sample": True}, "", 25),
             ({"_class_name": "DDIMScheduler", **STABLE_DIFFUSION}, "", 25),
             ({"_class_name": "PNDMScheduler", **STABLE_DIFFUSION}, "DDIMScheduler", 25),
             ({"_class_name": "PNDMScheduler", **STABLE_DIFFUSION, "clip_sample": True}, "DDIMScheduler", 25)], tmp_path)


def test_another_class_keeps_the_options_they_share(tmp_path):
    files = [json.loads((SOURCE / "model/bundled/stable-diffusion/scheduler/scheduler_config.json").read_text()),
             {"_class_name": "PNDMScheduler", **STABLE_DIFFUSION, "skip_prk_steps": True, "set_alpha_to_one": False, "trained_betas": None, "clip_sample": False},
             {"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear"},
             {"_class_name": "EulerDiscreteScheduler", **STABLE_DIFFUSION, "prediction_type": "v_prediction", "timestep_spacing": "leading", "use_karras_sigmas": True, "steps_offset": 0},
             json.loads(DPMSolverMultistepScheduler(**STABLE_DIFFUSION).to_json_string())]
    compare([(config, name, n) for config in files for name in ("", *CLASSES) for n in (12, 50) if accepted(config, name, n)], tmp_path)


def test_odd_numbers_of_steps(tmp_path):
    """61 trailing steps are 62 in numpy; few steps take other branches."""
    jobs = [({"_class_name": name, **STABLE_DIFFUSION, "timestep_spacing": spacing, "prediction_type": "v_prediction", "skip_prk_steps": True}, "", n)
            for name in CLASSES for spacing in SPACINGS for n in (1, 2, 3, 7, 14, 15, 28, 61, 103, 333, 999)]
    compare([job for job in jobs if accepted(*job)], tmp_path)


def test_stated_facts(tmp_path):
    """The checks of docs/METHOD.md, section 6: Euler 50 and PNDM 50 on Stable Diffusion's betas."""
    euler, pndm = ours([({"_class_name": "EulerDiscreteScheduler", **STABLE_DIFFUSION, "timestep_spacing": "leading"}, "", 50),
                        ({"_class_name": "PNDMScheduler", **STABLE_DIFFUSION, "skip_prk_steps": True}, "", 50)], tmp_path)
    assert euler["timesteps"] == list(range(981, 0, -20))
    assert euler["init_noise_sigma"] == pytest.approx(13.1585, abs=1e-4)
    assert len(pndm["timesteps"]) == 51 and pndm["timesteps"][:4] == [981, 961, 961, 941]


def test_what_is_not_implemented_is_refused_by_name(tmp_path):
    wrong = [("DDIMScheduler", {"timestep_spacing": "karras"}, "timestep_spacing"), ("DDIMScheduler", {"beta_schedule": "sigmoid"}, "beta_schedule"),
             ("DDIMScheduler", {"prediction_type": "epsilon", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, "prediction_type"),
             ("DPMSolverMultistepScheduler", {"solver_order": 3}, "solver_order"), ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}, "algorithm_type"),
             ("DPMSolverMultistepScheduler", {"use_lu_lambdas": True}, "use_lu_lambdas"), ("DPMSolverMultistepScheduler", {"variance_type": "learned"}, "variance_type"),
             ("EulerDiscreteScheduler", {"use_beta_sigmas": True}, "use_beta_sigmas"), ("EulerDiscreteScheduler", {"timestep_type": "continuous"}, "timestep_type"),
             ("PNDMScheduler", {"prediction_type": "sample"}, "prediction_type"), ("HeunDiscreteScheduler", {}, "HeunDiscreteScheduler")]
    for (name, options, key), got in zip(wrong, ours([({"_class_name": n, **o}, "", 10) for n, o, _ in wrong], tmp_path)):
        assert key in got["error"] and ".json" in got["error"], (name, got)
