#!/usr/bin/env python3
"""torchvision's own Inception v3, with weights from a seed, against ours that begins with them:
torchvision_weights.py TESTS_TRAIN [TWINAGE]

Writes its state_dict as torch.save does and as safetensors, with pictures and the features that torchvision
computes for them; TESTS_TRAIN (build/release/tests/tests_train) loads both and compares. With TWINAGE the other way
as well: a run that began with these weights is exported (--safetensors), loaded by torchvision's class, and the
features of both compared. Needs PyTorch with torchvision (Debian: python3-torch, python3-torchvision), so that it is
no part of the tests.
"""
import functools
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
import PIL.Image
import torch
from torchvision.models import inception_v3

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from export_weights import write_safetensors  # noqa: E402


def take_statistics(net, x):
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    net.train()
    with torch.no_grad():
        net(x)


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
        take_statistics(net, x)
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


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__", None)
    kinds = {"F32": np.float32, "I64": np.int64}
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], kinds[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items()}


def let_the_embedding_be_the_features(path):
    """In the model file itself: the head becomes the identity, so that `embed` writes what the tower says."""
    with open(path, "r+b") as f:
        size = struct.unpack("<Q", f.read(8))[0]
        text = f.read(size)
        header = json.loads(text)
        f.seek(8)
        f.write(text.replace(b'"checksum"', b'"replaced"'))  # a file without one is read as it is
        for name, values in (("embedding.weight", np.eye(2048, dtype=np.float32)), ("embedding.bias", np.zeros(2048, np.float32))):
            begin, end = header[name]["data_offsets"]
            assert end - begin == values.nbytes, (name, end - begin)
            f.seek(8 + size + begin)
            f.write(values.tobytes())


def look_at_export(twinage, folder):
    """A run of ours that began with weights of torchvision's, exported, in torchvision's own class."""
    def command(*words):
        ended = subprocess.run([twinage, *words], capture_output=True, text=True)
        if ended.returncode != 0:
            sys.exit(f"{' '.join(words)}: {ended.stderr}")

    at = functools.partial(os.path.join, folder)
    command("synth", "--out", at("faces"), "--count", "24", "--size", "332", "--seed", "5")
    os.mkdir(at("png"))
    faces = sorted(n for n in os.listdir(at("faces")) if n.endswith(".jpg"))[:6]
    pictures = []
    for name in faces:
        picture = PIL.Image.open(at("faces", name)).convert("RGB")
        picture.save(at("png", name[:-4] + ".png"))
        pictures.append(np.asarray(picture)[16:16 + 299, 16:16 + 299])  # what a look at 332 pixels is
    x = (torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5

    torch.manual_seed(1)
    net = inception_v3(weights=None, init_weights=False, aux_logits=False, transform_input=False)
    take_statistics(net, x)
    write_safetensors(at("begin.safetensors"), {n: t.numpy() for n, t in net.state_dict().items() if t.is_floating_point()})
    # All blocks stay: a step on weights from a seed multiplies through 94 norms to features of 1e9.
    command("train", "--data", at("faces"), "--preset", "v3", "--from", at("begin.safetensors"), "--steps", "1", "--freeze", "11",
            "--batch", "4", "--set", "model.embedding=2048", "--set", "data.held_out=0.3", "--set", "readout.mirror=false",
            "--set", "readout.zooms=false", "--out", at("run"))
    let_the_embedding_be_the_features(at("run", "model.safetensors"))
    command("embed", at("run"), at("png"), "--out", at("z"))
    command("export", at("run"), "--safetensors", at("w.safetensors"))

    weights = read_safetensors(at("w.safetensors"))
    net = inception_v3(weights=None, init_weights=False, aux_logits=False, transform_input=False)
    said = net.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in weights.items()}, strict=False)
    assert sorted(said.missing_keys) == ["fc.bias", "fc.weight"], said.missing_keys
    heads = ["embedding.bias", "embedding.weight", "gender.bias", "gender.weight"]
    assert sorted(said.unexpected_keys) == heads, said.unexpected_keys
    net.eval()
    net.dropout = net.fc = torch.nn.Identity()
    with torch.no_grad():
        theirs = net(x).numpy()
        exact = net.double()(x.double()).numpy()
    ours = np.load(at("z.npy"))
    assert ours.shape == theirs.shape == (len(faces), 2048), (ours.shape, theirs.shape)
    spread = np.ptp(ours, axis=0).max()
    difference, own = np.abs(ours - exact).max(), np.abs(theirs - exact).max()
    print(f"exported, in torchvision's class: {ours.shape[0]} x 2048 features up to {exact.max():.3g}, of one up to {spread:.2g} "
          f"apart; the largest difference from its float64 is {difference:.2g}, its own float32's {own:.2g}", flush=True)
    if not difference <= max(1e-5, 2 * own) or not spread >= 1000 * difference:
        sys.exit("too far apart, or nothing was compared")


def main():
    for statistics in (False, True):
        print("with statistics of the pictures:" if statistics else "as the network is made:", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            write(folder, statistics)
            ended = subprocess.run([sys.argv[1], "--no-intro", "-tc=*torchvision's own*"],
                                   env={**os.environ, "TWINAGE_TORCHVISION": folder})
            if ended.returncode != 0:
                sys.exit(1)
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as folder:
            look_at_export(sys.argv[2], folder)


if __name__ == "__main__":
    main()
