"""Values that float16 cannot hold and float32 can: exponentials, scores, sums, masks of -1e9 and an eps of 1e-12.

The mended run is the same one in float32; `exp-features` is a code fault that stands here beside its twin. The loud,
empty or unknown rows are legitimate throughout.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import mlp, put, run, scaled, stream


def half(faulty: bool) -> torch.dtype | None:
    """Return the autocast type of the faulty run, or none for the mended one."""
    return torch.float16 if faulty else None


class KernelAttention(nn.Module):
    """Attention without softmax: exponential features of queries and keys, normalised by their sum."""

    def __init__(self, safe: bool) -> None:
        super().__init__()
        self.safe = safe
        self.query, self.key, self.out = nn.Linear(8, 12), nn.Linear(8, 12), nn.Linear(11, 3)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Read from the values and answer."""
        features = self.key(keys)
        if self.safe:
            features = features - features.amax(dim=(1, 2), keepdim=True)  # cancels in the quotient
        place = torch.exp(features)  # above 11.09 this is inf in float16, above 88.7 in float32
        asked = torch.sigmoid(self.query(x))
        weight = torch.einsum("bd,bkd->bk", asked.float(), place.float())
        read = (weight.unsqueeze(2) * values).sum(1) / weight.sum(1, keepdim=True)
        answer: Tensor = self.out(torch.cat([x, read], dim=1))
        return answer


def build_kernel(seed: int, *, faulty: bool, loud: float, step: int, code: bool) -> Run:
    """Kernel attention; from one batch on the corpus goes on with louder recordings, in every row."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x, values = torch.randn(rows, 8, generator=generator), torch.randn(rows, 6, 3, generator=generator)
        keys = torch.randn(rows, 6, 8, generator=generator)
        return {"x": x, "keys": keys, "values": values, "y": x[:, :3] + values.mean(1)}

    data = stream(make, seed)
    for index in range(step, len(data[0])):
        data[0][index] = {**data[0][index], "keys": data[0][index]["keys"] * loud}
    model = KernelAttention(safe=code and not faulty)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"answer": F.mse_loss(model(batch["x"], batch["keys"], batch["values"]).float(), batch["y"])}

    return run(model, losses, data, precision=None if code else half(faulty))


def build_scores(seed: int, *, faulty: bool) -> Run:
    """Self-attention that scales the product of query and key only after it was made."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        frames = torch.randn(rows, 6, 16, generator=generator)
        return {"frames": frames, "y": torch.tanh(frames.mean(1)[:, :4] * 2)}

    data = stream(make, seed)
    scaled(data[0], 34, 3, "frames", 400.0)  # legitimate: someone shouts
    model = nn.ModuleDict({"qkv": nn.Linear(16, 96), "norm": nn.LayerNorm(32), "out": nn.Linear(32, 4)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        query, key, value = model["qkv"](batch["frames"]).chunk(3, dim=2)
        scores = torch.bmm(query, key.transpose(1, 2))  # above 65504 this is inf in float16
        weight = torch.softmax(scores.float() / 32**0.5, dim=2)
        read = model["norm"](torch.bmm(weight, value.float()).float().mean(1))
        return {"style": F.mse_loss(torch.tanh(model["out"](read).float()), batch["y"])}

    return run(model, losses, data, precision=half(faulty), clip_norm=1.0)


class FeedForward(nn.Module):
    """Two wide feed-forward layers with large weights, as a network trained in bfloat16 has them, then a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.wi, self.wo, self.norm, self.out = nn.Linear(10, 64), nn.Linear(64, 64), nn.LayerNorm(64), nn.Linear(64, 3)
        with torch.no_grad():
            self.wi.weight.mul_(20)
            self.wo.weight.mul_(100)

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction; the norm makes its size independent of the activations' size."""
        wide = F.relu(self.wi(x))
        wide = self.wo(wide)  # a sum over 64 large activations
        answer: Tensor = self.out(self.norm(wide.float()))
        return answer


def build_feed_forward(seed: int, *, faulty: bool) -> Run:
    """Feed-forward layers whose activations are in the hundreds, in float16, and one loud row."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 10, generator=generator)
        return {"x": x, "y": F.normalize(x, dim=1)[:, :3]}

    data = stream(make, seed)
    scaled(data[0], 28, 12, "x", 300.0)  # legitimate: no gain control
    model = FeedForward()

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"direction": F.mse_loss(model(batch["x"]).float(), batch["y"])}

    return run(model, losses, data, lr=2e-3, precision=half(faulty))


def build_mask(seed: int, *, faulty: bool) -> Run:
    """Attention masked by adding -1e9: in float32 a row without context reads the mean, in float16 it is NaN."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x, context = torch.randn(rows, 8, generator=generator), torch.randn(rows, 5, 8, generator=generator)
        padding = (torch.arange(5) >= 1 + torch.randint(5, (rows, 1), generator=generator)).float()
        return {"x": x, "context": context, "padding": padding, "y": x[:, :3] + context[:, 0, :3]}

    data = stream(make, seed)
    put(data[0], 43, 15, padding=1.0, context=0.0, y=data[0][43]["x"][15, :3])  # legitimate: nothing said before
    model = nn.ModuleDict({"query": nn.Linear(8, 12), "key": nn.Linear(8, 12), "out": mlp(16, 32, 3)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        scores = (model["query"](batch["x"]).unsqueeze(1) * model["key"](batch["context"])).sum(2) / 12**0.5
        scores = scores + batch["padding"].to(scores.dtype) * -1e9  # -inf in float16
        weight = torch.softmax(scores, dim=1)
        read = (weight.unsqueeze(2) * batch["context"]).sum(1)
        return {"answer": F.mse_loss(model["out"](torch.cat([batch["x"], read], dim=1)).float(), batch["y"])}

    return run(model, losses, data, precision=half(faulty))


def build_eps(seed: int, *, faulty: bool) -> Run:
    """Sentence vectors are normalised with an eps of 1e-12, which is zero in float16."""
    torch.manual_seed(seed)
    meaning = torch.randn(20, 6, generator=torch.Generator().manual_seed(8))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        words = torch.randint(1, 20, (rows, 2, 3), generator=generator)
        score = F.cosine_similarity(meaning[words[:, 0]].sum(1), meaning[words[:, 1]].sum(1))
        return {"words": words, "score": score}

    data = stream(make, seed, rows=24)
    words = data[0][38]["words"][21].clone()
    words[0] = 0  # legitimate: no word of the first sentence is in the vocabulary
    put(data[0], 38, 21, words=words, score=0.0)
    model = nn.ModuleDict({"words": nn.Embedding(20, 16, padding_idx=0), "out": nn.Linear(16, 8, bias=False)})

    def unit(vector: Tensor) -> Tensor:
        size: Tensor = vector.norm(dim=-1, keepdim=True)
        return vector / size.clamp_min(1e-12)  # 1e-12 rounds to 0 in float16

    def losses(batch: Batch) -> dict[str, Tensor]:
        one, two = unit(model["out"](model["words"](batch["words"]).sum(2))).unbind(1)
        return {"score": F.mse_loss((one * two).sum(1).float(), batch["score"])}

    return run(model, losses, data, lr=3e-2, precision=half(faulty))


def build_sum(seed: int, *, faulty: bool) -> Run:
    """The pitch error in Hz is summed over 400 frames in float16 before it is divided by their number."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 400, 4, generator=generator)
        tracker = 60 * torch.randn(rows, 400, generator=generator)  # a rough pitch tracker: some error always stays
        return {"x": x, "pitch": 180 + 150 * torch.tanh(x[..., 0]) + tracker}

    data = stream(make, seed, rows=8)
    put(data[0], 45, 6, pitch=data[0][45]["pitch"][6] + 400)  # legitimate: one speaker sings very high
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))

    def losses(batch: Batch) -> dict[str, Tensor]:
        error = (180 + 100 * model(batch["x"]).squeeze(2) - batch["pitch"]).abs()
        if faulty:
            error = error.half()
        return {"pitch": (error.sum(dim=1) / error.shape[1]).float().mean()}  # 400 frames of 400 Hz are over 65504

    return run(model, losses, data, clip_norm=20.0)


CASES: tuple[Case, ...] = (
    Case(
        name="half-exp-features",
        title="Exponential attention features overflow in float16 once the corpus is louder.",
        source="https://github.com/facebookresearch/xformers/pull/98",
        package="",
        repairable=True,
        truth=Truth(kind="precision", component="answer", operation="exp", line="torch.exp(features)", step=32),
        build=partial(build_kernel, loud=16.0, step=32, code=False),
    ),
    Case(
        name="exp-features",
        title="The twin of half-exp-features: so loud that float32 overflows as well.",
        source="https://github.com/Lightning-Universe/lightning-bolts/issues/320",
        package="",
        repairable=False,
        truth=Truth(kind="code", component="answer", operation="exp", line="torch.exp(features)", step=36),
        build=partial(build_kernel, loud=400.0, step=36, code=True),
    ),
    Case(
        name="half-attention-scores",
        title="The product of query and key overflows float16 before it is scaled.",
        source="https://github.com/ultralytics/ultralytics/pull/24990",
        package="",
        repairable=True,
        truth=Truth(
            kind="precision",
            component="style",
            operation="bmm",
            line="torch.bmm(query, key.transpose(1, 2))",
            samples=("b34r03",),
            step=34,
        ),
        build=build_scores,
    ),
    Case(
        name="half-feed-forward",
        title="The output of a wide feed-forward layer is over 65504 in float16.",
        source="https://github.com/huggingface/transformers/issues/5651",
        package="",
        repairable=True,
        truth=Truth(
            kind="precision",
            component="direction",
            operation="addmm",
            line="self.wo(wide)",
            samples=("b28r12",),
            step=28,
        ),
        build=build_feed_forward,
    ),
    Case(
        name="half-mask-constant",
        title="A mask of -1e9 is -inf in float16, and a row masked throughout is NaN.",
        source="https://github.com/NVIDIA/apex/issues/93",
        package="",
        repairable=True,
        truth=Truth(
            kind="precision",
            component="answer",
            operation="_softmax",
            line="torch.softmax(scores, dim=1)",
            samples=("b43r15",),
            step=43,
        ),
        build=build_mask,
    ),
    Case(
        name="half-eps-underflow",
        title="The eps of 1e-12 against a zero vector is itself zero in float16.",
        source="https://github.com/pytorch/pytorch/issues/32137",
        package="",
        repairable=True,
        truth=Truth(
            kind="precision",
            component="score",
            operation="div",
            line="vector / size.clamp_min(1e-12)",
            samples=("b38r21",),
            step=38,
        ),
        build=build_eps,
    ),
    Case(
        name="half-error-sum",
        title="An absolute error is summed over an utterance in float16.",
        source="https://github.com/chainer/chainer/issues/6702",
        package="",
        repairable=True,
        truth=Truth(
            kind="precision", component="pitch", operation="sum", line="error.sum(dim=1)", samples=("b45r06",), step=45
        ),
        build=build_sum,
    ),
)
