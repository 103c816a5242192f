"""Grad-CAM at the last feature map by PyTorch's own backward, for Tests/Fixtures/network/gradcam.json.

The weights are those that the program draws from seed 42, so the fixture holds the maps alone:

    workbench -c 'seed 42; load tf_efficientnetv2_b0 classes=10; save-weights b0.safetensors'
    python make_activation_fixtures.py b0.safetensors gradcam.json      (torch 2.15, timm 1.0.31)
"""
import json
import sys

import timm
import torch
from safetensors.torch import load_file

SIZE = 128
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def picture():
    """Byte values that ActivationTests.swift computes in the same way."""
    y, x, c = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), torch.arange(3), indexing="ij")
    return ((x * 3 + y * 5 + c * 40 + (x * y) // 64) % 256).permute(2, 0, 1).float()


def maps(pooling):
    model = timm.create_model("tf_efficientnetv2_b0", num_classes=10, global_pool=pooling)
    model.load_state_dict(load_file(sys.argv[1]))
    model.eval()
    image = ((picture() / 255 - MEAN) / DEVIATION).unsqueeze(0)
    found = {}
    for label in (0, 3, 7):
        features = model.forward_features(image)
        features.retain_grad()
        logits = model.forward_head(features)
        logits[0, label].backward()
        importance = features.grad.mean(dim=(2, 3), keepdim=True)
        evidence = torch.relu((importance * features).sum(dim=1))[0]
        found[str(label)] = {
            "map": evidence.tolist(), "probability": torch.softmax(logits, 1)[0, label].item()}
    return found


with open(sys.argv[2], "w") as output:
    json.dump({"avg": maps("avg"), "max": maps("max")}, output, indent=1)
    output.write("\n")
