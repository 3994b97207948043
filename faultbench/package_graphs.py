"""Failures of PyTorch Geometric: a negative degree, a state that went through fp16, a flipped bit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch_geometric.nn import DistMult, GCNConv

from .case import Batch, Case, Run, Truth
from .package_tools import adam, make_batches, replaced, start, with_rows

NODES = 5
ENTITIES = 24
DEGREE_STEP, STATE_STEP, FLIP_STEP = 35, 31, 36


class BrainNet(nn.Module):
    """Two GCN layers over fully connected graphs with edge weights, and a mean over the nodes."""

    def __init__(self, *, signed: bool) -> None:
        super().__init__()
        self.first, self.second = GCNConv(3, 16), GCNConv(16, 16)
        self.head = nn.Linear(16, 1)
        self.signed = signed

    def forward(self, nodes: Tensor, weights: Tensor) -> Tensor:
        """One number a graph."""
        rows = len(nodes)
        pairs = torch.combinations(torch.arange(NODES), 2)
        once = torch.cat([pairs, pairs.flip(1)]).T
        edges = (once[None] + NODES * torch.arange(rows)[:, None, None]).transpose(0, 1).reshape(2, -1)
        weight = torch.cat([weights, weights], dim=1).reshape(-1)
        weight = weight if self.signed else weight.clamp(min=0.0)  # mended: GCN takes positive weights only
        hidden = torch.relu(self.first(nodes.reshape(-1, 3), edges, weight))
        hidden = torch.relu(self.second(hidden, edges, weight))
        return self.head(hidden.view(rows, NODES, -1).mean(1))[:, 0]


def brain_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Correlations between five regions (mostly positive); the target is the mean of the node values."""
    nodes = torch.randn(size, NODES, 3, generator=data)
    return {
        "nodes": nodes,
        "weights": 0.1 + 0.8 * torch.rand(size, NODES * (NODES - 1) // 2, generator=data),
        "target": nodes.mean((1, 2)) * 3,
    }


def build_degree(seed: int, *, faulty: bool) -> Run:
    """One subject's regions are anti-correlated, which is legitimate: a node's degree is below zero."""
    data = start(seed)
    model = BrainNet(signed=faulty)
    batches = make_batches(brain_rows, data)
    weights = batches[DEGREE_STEP]["weights"][6].clone()
    weights[:4] = -0.7  # the edges of the first node: its degree is 1 - 4 * 0.7
    batches = replaced(batches, DEGREE_STEP, with_rows(batches[DEGREE_STEP], {"weights": {6: weights}}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        predicted = model(batch["nodes"], batch["weights"])
        return {"age": nn.functional.mse_loss(predicted, batch["target"])}

    return Run(
        model=model,
        optimizer=adam(model, 1e-2),
        losses=losses,
        batches=batches,
        held_out=make_batches(brain_rows, data, count=3, prefix="h"),
    )


class FlippedBit:
    """A forward hook that flips the top exponent bit of one activation: in the next pass after `armed`, then never."""

    def __init__(self) -> None:
        self.armed = False
        self.done = False

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """The layer's output, once with the bit flipped."""
        if self.done or not self.armed:
            return output
        self.done = True
        flipped = output.detach().clone().view(-1)
        place = flipped.abs().argmax()
        flipped[place] = (flipped[place : place + 1].view(torch.int32) ^ (1 << 30)).view(torch.float32)[0]
        return output + (flipped.view_as(output) - output.detach())


def build_flip(seed: int, *, faulty: bool) -> Run:
    """One exponent bit of one activation flips in the forward pass of batch 36; the same pass again is fine."""
    data = start(seed)
    model = BrainNet(signed=True)
    bit = FlippedBit()
    if faulty:
        model.second.register_forward_hook(bit)

    def losses(batch: Batch) -> dict[str, Tensor]:
        bit.armed = f"b{FLIP_STEP}-0" in batch["id"]
        return {"age": nn.functional.mse_loss(model(batch["nodes"], batch["weights"]), batch["target"])}

    return Run(
        model=model,
        optimizer=adam(model, 1e-2),
        losses=losses,
        batches=make_batches(brain_rows, data),
        held_out=make_batches(brain_rows, data, count=3, prefix="h"),
    )


def fact_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Facts (head, relation, tail): the tail is in the head's group of six, or in the next one."""
    head = torch.randint(0, ENTITIES, (size,), generator=data)
    relation = torch.randint(0, 2, (size,), generator=data)
    group = (head // 6 + relation) % 4
    return {"head": head, "relation": relation, "tail": group * 6 + torch.randint(0, 6, (size,), generator=data)}


def resume_with_fp16_state(optimizer: torch.optim.Optimizer, after: int) -> Callable[[], None]:
    """A hook that sends Adam's moments through fp16 once, as a checkpoint in half precision does."""
    done = 0

    def hook() -> None:
        nonlocal done
        if done == after:
            for state in optimizer.state.values():
                for key in ("exp_avg", "exp_avg_sq"):
                    state[key] = state[key].half().float()
        done += 1

    return hook


def build_fp16_state(seed: int, *, faulty: bool) -> Run:
    """Small second moments become 0; entities that the next batch lacks then divide by Adam's 1e-8 alone."""
    data = start(seed)
    model = DistMult(num_nodes=ENTITIES, num_relations=2, hidden_channels=16, margin=1.0)
    optimizer = adam(model, 5e-2)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"rank": model.loss(batch["head"], batch["relation"], batch["tail"])}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=make_batches(fact_rows, data, size=16),
        held_out=make_batches(fact_rows, data, count=8, size=32, prefix="h"),
        # The usual small weight of a side loss: Adam does not mind, but the squares of the gradients get tiny.
        weights={"rank": 0.01},
        # Saved and loaded after batch STATE_STEP - 2: the update of the batch after it is the first bad one.
        after_commit=resume_with_fp16_state(optimizer, STATE_STEP - 2) if faulty else None,
    )


CASES: tuple[Case, ...] = (
    Case(
        name="gcn-negative-degree",
        title="Negative edge weights make a node's degree negative; its power of -0.5 is NaN.",
        source="https://github.com/pyg-team/pytorch_geometric/issues/795",
        package="torch-geometric==2.8.1",
        truth=Truth(
            kind="code",
            component="age",
            operation="pow_",
            line="deg_inv_sqrt = deg.pow_(-0.5)",
            samples=("b35-6",),
            step=DEGREE_STEP,
        ),
        repairable=False,
        build=build_degree,
    ),
    Case(
        name="gcn-flipped-bit",
        title="Faulty hardware flips one exponent bit of one activation, once.",
        source="https://github.com/deepfakes/faceswap/issues/310",
        package="torch-geometric==2.8.1",
        # No operation of the code is to blame, and a second pass shows nothing.
        truth=Truth(kind="transient", component="age", step=FLIP_STEP),
        repairable=True,
        build=build_flip,
    ),
    Case(
        name="distmult-adam-state-through-fp16",
        title="A checkpoint in fp16 rounds Adam's small second moments to 0; the next update is enormous.",
        source="https://github.com/ultralytics/ultralytics/pull/24085",
        package="torch-geometric==2.8.1",
        # The update of batch 30 is the first with the spoilt state; the loss of batch 31 shows it. All stays finite.
        truth=Truth(kind="optimizer", step=STATE_STEP),
        repairable=True,
        build=build_fp16_state,
    ),
)
