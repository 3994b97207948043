"""Vision models of the package `transformers`: a hot step, a mean over no masked patch, an overflowing temperature."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import (
    CLIPConfig,
    CLIPModel,
    ViTConfig,
    ViTForImageClassification,
    ViTMAEConfig,
    ViTMAEForPreTraining,
)

from .case import Batch, Case, Run, Truth
from .package_tools import jumping_rate
from .rows import run, stream
from .state_common import once_after
from .transformers_common import PACKAGE, sizes

COLOURS = 6  # that a quarter of an image may have
SIDE = 8  # of an image in pixels; a patch has half of it


def picture_sizes(**other: Any) -> dict[str, Any]:
    """Return the settings of a vision model of the ViT family."""
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return sizes(image_size=SIDE, patch_size=SIDE // 2, num_channels=1, **dropout, **other)


def pictures(generator: torch.Generator, rows: int, *, alike: bool = False) -> dict[str, Tensor]:
    """Return images of four quarters, each with the pattern of its colour, and the colours, which may be `alike`."""
    patterns = torch.randn(COLOURS, SIDE // 2, SIDE // 2, generator=torch.Generator().manual_seed(3))
    colours = torch.randint(COLOURS, (rows, 2, 2), generator=generator)
    colours = colours[:, :1, :1].expand(rows, 2, 2) if alike else colours
    image = patterns[colours].permute(0, 1, 3, 2, 4).reshape(rows, 1, SIDE, SIDE)
    return {"image": image + 0.1 * torch.randn(rows, 1, SIDE, SIDE, generator=generator), "colours": colours.flatten(1)}


def build_hot_step(seed: int, *, faulty: bool) -> Run:
    """A ViT counts what its quarters weigh; the scaled rate of a larger cluster comes with a schedule of this one."""
    torch.manual_seed(seed)
    weight = torch.tensor([-1.0, -0.5, 0.0, 0.3, 0.8, 1.2])

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        fields = pictures(generator, rows)
        return {"image": fields["image"], "weight": weight[fields["colours"]].sum(1, keepdim=True)}

    model = ViTForImageClassification(ViTConfig(**picture_sizes(num_labels=1, problem_type="regression")))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0015, momentum=0.9)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"weight": model(pixel_values=batch["image"], labels=batch["weight"]).loss}

    schedule = jumping_rate(optimizer, 34, 50.0 if faulty else 1.0)
    return run(model.train(), losses, stream(make, seed), optimizer=optimizer, scheduler=schedule)


def build_nothing_masked(seed: int, *, faulty: bool) -> Run:
    """A masked autoencoder whose mask ratio follows a curriculum; at its end no patch of four is masked any more."""
    torch.manual_seed(seed)
    least = 0.0 if faulty else 0.25
    train, held = stream(partial(pictures, alike=True), seed)
    for step, batch in enumerate(train):
        ratio = max(0.5 if step < 20 else 0.25 if step < 44 else least, least)
        train[step] = {**batch, "ratio": torch.full((16,), ratio)}
    held = [{**batch, "ratio": torch.full((16,), 0.5)} for batch in held]
    decoder = {"decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2}
    model = ViTMAEForPreTraining(
        ViTMAEConfig(**picture_sizes(num_hidden_layers=1, **decoder, decoder_intermediate_size=32))
    )

    def losses(batch: Batch) -> dict[str, Tensor]:
        model.config.mask_ratio = float(batch["ratio"][0])
        return {"pixels": model(pixel_values=batch["image"]).loss}

    return run(model.train(), losses, (train, held), lr=1e-2)


def build_scale_for_its_logarithm(seed: int, *, faulty: bool) -> Run:
    """CLIP keeps the logarithm of its temperature; a restored file holds the temperature itself, which is 100."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        fields = pictures(generator, rows)
        end = torch.full((rows, 1), 1)
        return {"image": fields["image"], "words": torch.cat([fields["colours"] + 2, end], dim=1)}

    shared = {"projection_dim": 16, "attention_dropout": 0.0}
    text = sizes(vocab_size=COLOURS + 2, max_position_embeddings=5, bos_token_id=0, eos_token_id=1, pad_token_id=0)
    vision = sizes(image_size=SIDE, patch_size=SIDE // 2, num_channels=1)
    config = CLIPConfig(
        text_config={**text, **shared},
        vision_config={**vision, **shared},
        projection_dim=16,
        attn_implementation="eager",
    )
    model = CLIPModel(config)

    def restore() -> None:
        with torch.no_grad():
            model.logit_scale.fill_(100.0)  # exp(100) is over the range

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"contrast": model(input_ids=batch["words"], pixel_values=batch["image"], return_loss=True).loss}

    after = once_after(42, restore) if faulty else None
    return run(model.train(), losses, stream(make, seed), lr=3e-3, after_commit=after)


CASES: tuple[Case, ...] = (
    Case(
        name="vit-rate-of-a-cluster",
        title="From one step on the learning rate is fifty times as high, and the regression explodes.",
        source="https://github.com/facebookresearch/deit/issues/29",
        package=PACKAGE,
        repairable=True,
        truth=Truth(kind="step size", step=34),
        build=build_hot_step,
    ),
    Case(
        name="vit-mae-nothing-masked",
        title="The mask ratio becomes so small that no patch is masked, and the loss is a mean over none.",
        source="https://github.com/jaywonchung/BERT4Rec-VAE-Pytorch/issues/22",
        package=PACKAGE,
        repairable=False,
        truth=Truth(
            kind="code", component="pixels", operation="div", line="loss = (loss * mask).sum() / mask.sum()", step=44
        ),
        build=build_nothing_masked,
    ),
    Case(
        name="clip-scale-for-its-logarithm",
        title="The temperature of CLIP is set to 100 where its logarithm belongs.",
        source="https://github.com/kornia/kornia/issues/3481",
        package=PACKAGE,
        repairable=True,
        truth=Truth(kind="weights", component="contrast", operation="exp", line="self.logit_scale.exp()", step=42),
        build=build_scale_for_its_logarithm,
    ),
)
