"""Takes the parts of a checkpoint of ours for the stages' results: the first stages are finished then, and the one that
draws goes on from the checkpoint's weights at step 0, so that a model can be bettered without its optimizers' states.

    python -m recipe.take CHECKPOINT"""

import pathlib
import sys

from safetensors.torch import load_file

from .loop.training import MODEL, save_atomically, save_bytes, work_folder
from .stages import autoencoder


def take(stage, steps, folder, prefix=""):
    """One stage's weights, in float32, under the names that its module has them."""
    (file,) = (pathlib.Path(folder)).glob("*.safetensors")
    weights = {prefix + name: tensor.float() for name, tensor in load_file(file).items()}
    if steps is None:
        save_atomically(weights, work_folder() / f"{stage}.start.pt")
    else:
        save_atomically(weights, work_folder() / f"{stage}.pt")
        save_atomically({"step": steps}, work_folder() / f"{stage}.training.pt")


def main(checkpoint):
    if any(work_folder().glob("*.training.pt")):
        sys.exit(f"{work_folder()} holds a training; give GLYPHWARD_RECIPE_WORK another folder")
    checkpoint = pathlib.Path(checkpoint)
    take("autoencoder", autoencoder.STEPS, checkpoint / "vae")
    if MODEL == "sd":
        from .stages import text_encoder

        take("text_encoder", text_encoder.STEPS, checkpoint / "text_encoder", "encoder.")
        take("denoiser", None, checkpoint / "unet")
    else:
        from .stages import clips, t5

        take("clip", clips.STEPS, checkpoint / "text_encoder", "encoder.")
        take("clip_2", clips.STEPS, checkpoint / "text_encoder_2", "encoder.")
        take("t5", t5.STEPS, checkpoint / "text_encoder_3", "encoder.")
        save_bytes((checkpoint / "tokenizer_3/spiece.model").read_bytes(), t5.kept_pieces())
        take("transformer", None, checkpoint / "transformer")


if __name__ == "__main__":
    main(sys.argv[1])
