"""The variants that timm or torchvision has under the same name, in the order of the program's table."""

NAMES = (
    [f"efficientnetv2_{size}" for size in ("s", "m", "l", "xl")]
    + [f"tf_efficientnetv2_{size}" for size in ("s", "m", "l", "xl", "b0", "b1", "b2", "b3")]
    + ["efficientnetv2_rw_t", "efficientnetv2_rw_s", "efficientnetv2_rw_m", "gc_efficientnetv2_rw_t"]
    + [f"{prefix}efficientnet_{size}" for prefix in ("", "tf_")
       for size in ("b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "l2")]
    + [f"efficientnet_v2_{size}" for size in ("s", "m", "l")]
    + [f"vit_{size}_patch16_{edge}" for edge in (224, 384) for size in ("tiny", "small", "base", "large")]
)
