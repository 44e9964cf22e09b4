"""The tower of presets `v3`, `small` and `tiny` in PyTorch, to measure against (benchmarks/ddp.py): Inception v3
(Szegedy et al. 2015) with a width factor and an optional compact stem."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def tower(width=1.0, compact_stem=False):
    """Returns (module, number of features); input (N, 3, S, S), output (N, features)."""

    def c(channels):
        return max(8, int(round(channels * width / 8)) * 8)

    class Conv(nn.Sequential):
        def __init__(self, i, o, k, stride=1, pad=0):
            super().__init__(nn.Conv2d(i, o, k, stride, pad, bias=False), nn.BatchNorm2d(o, eps=1e-3), nn.ReLU(inplace=True))

    class Branches(nn.Module):
        def __init__(self, outputs, *branches):
            super().__init__()
            self.branches, self.outputs = nn.ModuleList(branches), outputs

        def forward(self, x):
            return torch.cat([b(x) for b in self.branches], 1)

    seq, average = nn.Sequential, lambda: nn.AvgPool2d(3, 1, 1)

    def block_a(i, pooled):
        return Branches(c(64) * 2 + c(96) + c(pooled), Conv(i, c(64), 1), seq(Conv(i, c(48), 1), Conv(c(48), c(64), 5, 1, 2)),
                        seq(Conv(i, c(64), 1), Conv(c(64), c(96), 3, 1, 1), Conv(c(96), c(96), 3, 1, 1)), seq(average(), Conv(i, c(pooled), 1)))

    def block_b(i):
        return Branches(c(384) + c(96) + i, Conv(i, c(384), 3, 2),
                        seq(Conv(i, c(64), 1), Conv(c(64), c(96), 3, 1, 1), Conv(c(96), c(96), 3, 2)), nn.MaxPool2d(3, 2))

    def block_c(i, c7):
        k, o = c(c7), c(192)
        return Branches(4 * o, Conv(i, o, 1), seq(Conv(i, k, 1), Conv(k, k, (1, 7), 1, (0, 3)), Conv(k, o, (7, 1), 1, (3, 0))),
                        seq(Conv(i, k, 1), Conv(k, k, (7, 1), 1, (3, 0)), Conv(k, k, (1, 7), 1, (0, 3)), Conv(k, k, (7, 1), 1, (3, 0)),
                            Conv(k, o, (1, 7), 1, (0, 3))), seq(average(), Conv(i, o, 1)))

    def block_d(i):
        o = c(192)
        return Branches(c(320) + o + i, seq(Conv(i, o, 1), Conv(o, c(320), 3, 2)),
                        seq(Conv(i, o, 1), Conv(o, o, (1, 7), 1, (0, 3)), Conv(o, o, (7, 1), 1, (3, 0)), Conv(o, o, 3, 2)), nn.MaxPool2d(3, 2))

    def block_e(i):
        def split(n):
            return Branches(2 * c(384), Conv(n, c(384), (1, 3), 1, (0, 1)), Conv(n, c(384), (3, 1), 1, (1, 0)))
        return Branches(c(320) + 4 * c(384) + c(192), Conv(i, c(320), 1), seq(Conv(i, c(384), 1), split(c(384))),
                        seq(Conv(i, c(448), 1), Conv(c(448), c(384), 3, 1, 1), split(c(384))), seq(average(), Conv(i, c(192), 1)))

    parts = [Conv(3, c(32), 3, 2), Conv(c(32), c(32), 3), Conv(c(32), c(64), 3, 1, 1)]
    if not compact_stem:
        parts.append(nn.MaxPool2d(3, 2))
    parts += [Conv(c(64), c(80), 1), Conv(c(80), c(192), 3), nn.MaxPool2d(3, 2)]
    i = c(192)
    for make in ([lambda n, p=p: block_a(n, p) for p in (32, 64, 64)] + [block_b] +
                 [lambda n, k=k: block_c(n, k) for k in (128, 160, 160, 192)] + [block_d, block_e, block_e]):
        parts.append(make(i))
        i = parts[-1].outputs
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten()), i


PRESETS = {"v3": (299, 1.0, False), "small": (128, 0.5, False), "tiny": (72, 0.25, True)}
