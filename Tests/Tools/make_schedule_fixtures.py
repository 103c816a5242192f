"""Writes Tests/Fixtures/training/schedules.json: learning rates of timm, PyTorch and google's rule.

Needs torch and timm. Each case has settings under their names as hyperparameters, the steps of an
epoch, what each epoch scored, and the rates: one an epoch, or one a step where they move with it.

    python make_schedule_fixtures.py
"""

import argparse
import json
import math
import pathlib
import warnings

import torch
from timm.scheduler import create_scheduler_v2, scheduler_kwargs

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "training" / "schedules.json"
DEFAULTS = {
    "lr": 0.05, "sched": "cosine", "lr-noise": None, "lr-noise-pct": 0.67, "lr-noise-std": 1.0,
    "lr-cycle-mul": 1.0, "lr-cycle-decay": 0.5, "lr-cycle-limit": 1, "lr-k-decay": 1.0,
    "warmup-lr": 1e-4, "min-lr": 1e-6, "epochs": 20, "decay-epochs": 100, "warmup-epochs": 3,
    "cooldown-epochs": 10, "patience-epochs": 10, "decay-rate": 0.1, "seed": 42,
    "sched-on-updates": False, "warmup-prefix": False, "eval-metric": "top1",
    "decay-milestones": [90, 180, 270],
}
STEPS = 7


def optimizer(rate):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def timm_rates(settings, scores):
    """The rates as timm's train.py steps its schedulers."""
    args = argparse.Namespace(**{k.replace("-", "_"): v for k, v in settings.items()})
    rule = optimizer(args.lr)
    scheduler, epochs = create_scheduler_v2(
        rule, **scheduler_kwargs(args), updates_per_epoch=STEPS)
    rates, updates = [], 0
    for epoch in range(epochs):
        if args.sched_on_updates:
            for _ in range(STEPS):
                rates.append(rule.param_groups[0]["lr"])
                updates += 1
                scheduler.step_update(num_updates=updates)
        else:
            rates.append(rule.param_groups[0]["lr"])
        scheduler.step(epoch + 1, scores[epoch] if scores else None)
    return rates, epochs


def one_cycle(settings):
    rule = optimizer(settings["lr"])
    steps = settings["epochs"] * STEPS
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        rule, max_lr=settings["lr"], total_steps=steps, cycle_momentum=False)
    rates = []
    for step in range(steps):
        rates.append(rule.param_groups[0]["lr"])
        rule.step()
        if step + 1 < steps:
            scheduler.step()
    return rates, settings["epochs"]


def google_exponential(settings):
    """google/automl's WarmupLearningRateSchedule, with a warm-up that may start above 0."""
    rates = []
    warmup = settings["warmup-epochs"] * STEPS
    for step in range(settings["epochs"] * STEPS):
        rate = settings["lr"] * settings["decay-rate"] ** math.floor(
            step / (settings["decay-epochs"] * STEPS))
        rate = max(rate, settings["min-lr"])
        if step < warmup:
            start = settings["warmup-lr"]
            rate = start + step * (settings["lr"] - start) / warmup
        rates.append(rate)
    return rates, settings["epochs"]


def case(name, scores=None, **changes):
    changes = {k.replace("_", "-"): v for k, v in changes.items()}
    settings = DEFAULTS | changes
    if settings["sched"] == "onecycle":
        rates, epochs = one_cycle(settings)
    elif settings["sched"] == "exponential":
        rates, epochs = google_exponential(settings)
    else:
        rates, epochs = timm_rates(settings, scores)
    written = {k: v for k, v in settings.items() if v is not None}
    return {
        "name": name, "settings": written, "epochs": epochs, "stepsPerEpoch": STEPS,
        "scores": scores or [], "rates": rates,
    }


def main():
    warnings.simplefilter("ignore")
    cases = [case("the notebook", epochs=50)]
    for sched in ["cosine", "tanh", "poly"]:
        for updates in [False, True]:
            base = dict(sched=sched, sched_on_updates=updates)
            unit = "steps" if updates else "epochs"
            cases += [
                case(f"{sched} by {unit}", **base),
                case(f"{sched} without warm-up by {unit}", warmup_epochs=0, **base),
                case(f"{sched} after the warm-up by {unit}", warmup_prefix=True, **base),
                case(f"{sched} in cycles by {unit}", epochs=5, lr_cycle_limit=3, **base),
                case(f"{sched} in longer cycles by {unit}", epochs=5, lr_cycle_limit=3,
                     lr_cycle_mul=2.0, lr_cycle_decay=0.7, warmup_epochs=2, **base),
                case(f"{sched} in shorter cycles by {unit}", epochs=8, lr_cycle_limit=2,
                     lr_cycle_mul=0.5, cooldown_epochs=0, **base),
                case(f"{sched} with k-decay by {unit}", lr_k_decay=1.7, decay_rate=0.9, **base),
                case(f"{sched} with noise by {unit}", lr_noise=[0.3, 0.8], warmup_epochs=2, **base),
            ]
    for updates in [False, True]:
        base = dict(sched_on_updates=updates, epochs=12)
        unit = "steps" if updates else "epochs"
        cases += [
            case(f"steps by {unit}", sched="step", decay_epochs=2.4, decay_rate=0.97, **base),
            case(f"steps after the warm-up by {unit}", sched="step", decay_epochs=3,
                 warmup_prefix=True, **base),
            case(f"milestones by {unit}", sched="multistep", decay_milestones=[4, 7, 9], **base),
            case(f"constant by {unit}", sched="constant", **base),
            case(f"constant with noise to the end by {unit}", sched="constant", lr_noise=[0.5],
                 lr_noise_pct=0.3, lr_noise_std=0.5, seed=7, **base),
        ]
    falling = [50, 60, 61, 61.001, 61.002, 60, 59, 61.0021, 70, 70, 70, 70, 70, 70, 70, 71, 71, 71]
    cases += [
        case("plateau of an accuracy", scores=falling, sched="plateau", epochs=18,
             patience_epochs=2),
        case("plateau of a loss", scores=[2, 1.5, 1.4, 1.45, 1.39, 1.39, 1.39, 1.4, 1.4, 1.4, 1.3,
                                          1.31], sched="plateau", epochs=12, patience_epochs=1,
             eval_metric="loss", decay_rate=0.5, warmup_epochs=0),
        case("plateau down to the floor", scores=[1.0] * 18, sched="plateau", epochs=18,
             patience_epochs=0, min_lr=1e-3),
        case("plateau with noise", scores=[1.0] * 18, sched="plateau", epochs=18,
             patience_epochs=3, lr_noise=[0.4, 0.7]),
        case("plateau with noise from the beginning", scores=[1.0] * 10, sched="plateau",
             epochs=10, patience_epochs=3, warmup_epochs=4, lr_noise=[0.0]),
        case("one cycle", sched="onecycle", epochs=6, lr=0.001),
        case("one cycle of one epoch", sched="onecycle", epochs=1, lr=0.1),
        case("google's rule", sched="exponential", epochs=12, decay_epochs=2.4, decay_rate=0.97),
        case("google's rule down to the floor", sched="exponential", epochs=12, decay_epochs=1,
             decay_rate=0.2, min_lr=1e-3, warmup_epochs=0),
    ]
    OUTPUT.parent.mkdir(exist_ok=True)
    text = ",\n".join(json.dumps(c) for c in cases)
    OUTPUT.write_text(f"[\n{text}\n]\n")
    print(f"{len(cases)} cases, {OUTPUT.stat().st_size} bytes")


main()
