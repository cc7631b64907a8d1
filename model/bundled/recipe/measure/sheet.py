"""Contact sheets: what is trained is looked at, not only measured."""

import numpy as np
from PIL import Image


def save_sheet(pictures, path, columns):
    pictures = list(pictures)
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], 1) for i in range(0, len(pictures), columns)]
    Image.fromarray(np.concatenate(rows)).save(path)
