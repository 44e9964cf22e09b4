#!/usr/bin/env python3
"""torchvision's own Inception v3, with weights from a seed, against ours that begins with them:
torchvision_weights.py TESTS_TRAIN

Writes its state_dict as torch.save does and as safetensors, with pictures and the features that torchvision
computes for them; TESTS_TRAIN (build/release/tests/tests_train) loads both and compares. Needs PyTorch with torchvision
(Debian: python3-torch, python3-torchvision), so that it is no part of the tests.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torchvision.models import inception_v3

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from export_weights import write_safetensors  # noqa: E402


def write(folder, statistics):
    """With the statistics of the pictures in every norm, so that numbers keep their size through 94 of them, or as
    the network is made, with none."""
    torch.manual_seed(1)
    net = inception_v3(weights=None, init_weights=False, aux_logits=True, transform_input=False)
    whole = net.state_dict()  # with the classifier, as published files have it
    images = torch.randint(0, 256, (4, 299, 299, 3), dtype=torch.uint8)
    # Smooth, as pictures are.
    smooth = torch.nn.functional.avg_pool2d(images.permute(0, 3, 1, 2).float(), 9, 1, 4, count_include_pad=False)
    images = (smooth * 3 - 255).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    x = (images.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
    if statistics:
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        net.train()
        with torch.no_grad():
            net(x)
    state = {name: t.clone() for name, t in whole.items()}
    net.eval()
    net.dropout = net.fc = torch.nn.Identity()
    with torch.no_grad():
        narrow = net(x).numpy()
        features = net.double()(x.double()).float().numpy()
    torch.save(state, os.path.join(folder, "inception_v3.pth"))
    write_safetensors(os.path.join(folder, "inception_v3.safetensors"),
                      {n: t.numpy() for n, t in state.items() if t.is_floating_point()})
    write_safetensors(os.path.join(folder, "expected.safetensors"),
                      {"images": images.numpy(), "features": np.asarray(features, np.float32),
                       "features_float32": narrow})


def main():
    for statistics in (False, True):
        print("with statistics of the pictures:" if statistics else "as the network is made:", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, statistics)
            ended = subprocess.run([sys.argv[1], "--no-intro", "-tc=*torchvision's own*"],
                                   env={**os.environ, "TWINAGE_TORCHVISION": folder})
            if ended.returncode != 0:
                sys.exit(1)


if __name__ == "__main__":
    main()
