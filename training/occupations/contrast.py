"""The loss: a title is closer to a text of its own occupation than to anything of an unrelated one."""

from __future__ import annotations

import torch


def contrastive_loss(vectors: torch.Tensor, allowed: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE (van den Oord et al., 2018) both ways, anchors among each other as further negatives.

    `vectors` are unit rows, (2 · pairs, dimensions), anchors first; `allowed`, (pairs, 2 · pairs), says which texts are
    negatives of each anchor.
    """
    pairs = vectors.shape[0] // 2
    anchors, positives = vectors[:pairs], vectors[pairs:]
    right = torch.arange(pairs, device=vectors.device)
    ignored = torch.finfo(vectors.dtype).min
    own = torch.eye(pairs, dtype=torch.bool, device=vectors.device)
    to_positives = (anchors @ positives.T / temperature).masked_fill(~(allowed[:, pairs:] | own), ignored)
    to_anchors = (anchors @ anchors.T / temperature).masked_fill(~allowed[:, :pairs], ignored)
    forward = torch.nn.functional.cross_entropy(torch.cat([to_positives, to_anchors], dim=1), right)
    # allowed[j, pairs + i] says that positive i is no kin of anchor j, and so anchor j none of positive i.
    backward = torch.nn.functional.cross_entropy(to_positives.T, right)
    return (forward + backward) / 2
