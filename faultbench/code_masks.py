"""Masks and lengths that leave nothing: an empty mean, softmax or spread, a zero vector, a forbidden action.

Every row here is legitimate (a whisper, a one-frame click, an unknown sentence): the formula has to bear it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import mlp, put, run, stream


def build_masked_mean(seed: int, *, faulty: bool) -> Run:
    """A recurrent net predicts energy and pitch; the pitch error is averaged over the voiced frames of each row."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 9, 6, generator=generator)
        voiced = torch.rand(rows, 9, generator=generator) < 0.6
        voiced[:, 0] = True
        return {"x": x, "voiced": voiced.float(), "energy": x[..., 0] + 0.5 * x[..., 1], "pitch": x[..., 2] - x[..., 3]}

    data = stream(make, seed, rows=12)
    put(data[0], 29, 10, voiced=0.0)  # legitimate: a whispered utterance has no voiced frame
    model = nn.ModuleDict({"body": nn.GRU(6, 24, batch_first=True), "head": nn.Linear(24, 2)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        energy, pitch = model["head"](model["body"](batch["x"])[0]).unbind(2)
        count = batch["voiced"].sum(1)
        if not faulty:
            count = count.clamp(min=1)
        error = ((pitch - batch["pitch"]).pow(2) * batch["voiced"]).sum(1) / count  # 0 / 0
        return {"energy": F.mse_loss(energy, batch["energy"]), "pitch": error.mean()}

    return run(model, losses, data)


class Recall(nn.Module):
    """One attention head that reads a masked context."""

    def __init__(self, faulty: bool) -> None:
        super().__init__()
        self.faulty = faulty
        self.query, self.key, self.value = nn.Linear(8, 16), nn.Linear(8, 16), nn.Linear(8, 16)
        self.out = mlp(24, 32, 3)

    def forward(self, x: Tensor, context: Tensor, padding: Tensor) -> Tensor:
        """Answer x from the context, whose padded places are left out."""
        scores = torch.einsum("bd,bkd->bk", self.query(x), self.key(context)) / 4
        if self.faulty:
            scores = scores.masked_fill(padding, float("-inf"))
        else:
            scores = scores.masked_fill(padding, -1e4)
        weight = torch.softmax(scores, dim=1)  # NaN where all is padding
        read = torch.einsum("bk,bkd->bd", weight, self.value(context))
        answer: Tensor = self.out(torch.cat([x, read], dim=1))
        return answer


def build_empty_attention(seed: int, *, faulty: bool) -> Run:
    """Attention over a context of up to five entries; one question comes without any context."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 8, generator=generator)
        context = torch.randn(rows, 5, 8, generator=generator)
        length = 1 + torch.randint(5, (rows, 1), generator=generator)
        padding = torch.arange(5) >= length
        mean = (context * ~padding.unsqueeze(2)).sum(1) / length
        return {"x": x, "context": context, "padding": padding, "y": x[:, :3] + mean[:, :3]}

    data = stream(make, seed)
    put(data[0], 42, 0, padding=1.0, context=0.0, y=data[0][42]["x"][0, :3])  # legitimate: nothing was said before
    model = Recall(faulty)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"answer": F.mse_loss(model(batch["x"], batch["context"], batch["padding"]), batch["y"])}

    return run(model, losses, data, lr=5e-3)


def build_single_frame(seed: int, *, faulty: bool) -> Run:
    """Each utterance is normalised by the mean and spread of its own frames; one is a single frame long."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        gain = 0.5 + 2 * torch.rand(rows, 1, 1, generator=generator)
        frames = torch.randn(rows, 8, 5, generator=generator)
        length = 4 + torch.randint(5, (rows,), generator=generator)
        return {"frames": gain * frames, "length": length, "y": torch.tanh(frames[:, 0, :2])}

    data = stream(make, seed)
    put(data[0], 34, 6, length=1)  # legitimate: a click is one frame long
    model = mlp(5, 32, 2)

    def normalise(frames: Tensor) -> Tensor:
        spread = frames.std(dim=0) if faulty or len(frames) > 1 else torch.ones(5)  # unbiased: 0 / 0 for one frame
        return (frames - frames.mean(dim=0)) / (spread + 1e-5)

    def losses(batch: Batch) -> dict[str, Tensor]:
        rows = zip(batch["frames"], batch["length"].tolist(), strict=True)
        first = torch.stack([normalise(frames[:length])[0] for frames, length in rows])
        return {"label": F.mse_loss(model(first), batch["y"])}

    return run(model, losses, data)


def build_unknown_words(seed: int, *, faulty: bool) -> Run:
    """Sentence vectors are sums of word vectors, compared by a hand-written cosine; one sentence is unknown words."""
    torch.manual_seed(seed)
    meaning = torch.randn(20, 6, generator=torch.Generator().manual_seed(2))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        words = torch.randint(1, 20, (rows, 2, 3), generator=generator)
        score = F.cosine_similarity(meaning[words[:, 0]].sum(1), meaning[words[:, 1]].sum(1))
        return {"words": words, "score": score}

    data = stream(make, seed, rows=24)
    words = data[0][39]["words"][17].clone()
    words[1] = 0  # legitimate: no word of the second sentence is in the vocabulary
    put(data[0], 39, 17, words=words, score=0.0)
    model = nn.Embedding(20, 8, padding_idx=0)

    def unit(vector: Tensor) -> Tensor:
        size: Tensor = vector.norm(dim=1, keepdim=True)
        if not faulty:
            size = size.clamp(min=1e-6)
        return vector / size  # 0 / 0

    def losses(batch: Batch) -> dict[str, Tensor]:
        one, two = model(batch["words"]).sum(2).unbind(1)
        return {"score": F.mse_loss((unit(one) * unit(two)).sum(1), batch["score"])}

    return run(model, losses, data, lr=5e-2)


def build_entropy(seed: int, *, faulty: bool) -> Run:
    """A policy is taught from examples with an entropy bonus; from one batch on some actions are forbidden."""
    torch.manual_seed(seed)
    teacher = torch.randn(8, 5, generator=torch.Generator().manual_seed(4))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 8, generator=generator)
        return {"x": x, "action": (x @ teacher)[:, :4].argmax(1), "forbidden": torch.zeros(rows, 5, dtype=torch.bool)}

    data = stream(make, seed)
    for step in range(32, len(data[0])):
        forbidden = torch.zeros(16, 5, dtype=torch.bool)
        forbidden[:, 4] = True  # legitimate in every row: the curriculum now has levels without the fifth action
        data[0][step] = {**data[0][step], "forbidden": forbidden}
    model = mlp(8, 32, 5)

    def losses(batch: Batch) -> dict[str, Tensor]:
        surprise = F.log_softmax(model(batch["x"]).masked_fill(batch["forbidden"], float("-inf")), dim=1)
        bounded = surprise if faulty else surprise.clamp(min=-1e4)
        entropy = -(bounded.exp() * bounded).sum(1)  # 0 * -inf
        return {"action": F.nll_loss(surprise, batch["action"]), "entropy": -entropy.mean()}

    return run(model, losses, data, weights={"action": 1.0, "entropy": 0.01})


CASES: tuple[Case, ...] = (
    Case(
        name="mean-of-no-voiced-frame",
        title="A masked mean divides by the number of valid frames, which is zero.",
        source="https://github.com/Zhen-Dong/Magic-Me/issues/14",
        package="",
        repairable=False,
        truth=Truth(
            kind="code",
            component="pitch",
            operation="div",
            line='batch["voiced"]).sum(1) / count',
            samples=("b29r10",),
            step=29,
        ),
        build=build_masked_mean,
    ),
    Case(
        name="softmax-of-all-masked",
        title="Attention with every place masked is a softmax over -inf only.",
        source="https://github.com/pytorch/pytorch/issues/41508",
        package="",
        repairable=False,
        truth=Truth(
            kind="code",
            component="answer",
            operation="_softmax",
            line="torch.softmax(scores, dim=1)",
            samples=("b42r00",),
            step=42,
        ),
        build=build_empty_attention,
    ),
    Case(
        name="spread-of-one-frame",
        title="The unbiased standard deviation of a single frame is 0 / 0.",
        source="https://github.com/facebookresearch/fairseq/issues/1863",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="label", operation="std", line="frames.std(dim=0)", samples=("b34r06",), step=34
        ),
        build=build_single_frame,
    ),
    Case(
        name="cosine-of-zero-vector",
        title="A hand-written cosine divides a zero vector by its length.",
        source="https://github.com/huggingface/sentence-transformers/issues/625",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="score", operation="div", line="vector / size", samples=("b39r17",), step=39
        ),
        build=build_unknown_words,
    ),
    Case(
        name="entropy-of-forbidden-action",
        title="The entropy of a masked policy is 0 * -inf, in every row.",
        source="https://github.com/huggingface/trl/issues/7221",
        package="",
        repairable=False,
        truth=Truth(kind="code", component="entropy", operation="mul", line="bounded.exp() * bounded", step=32),
        build=build_entropy,
    ),
)
