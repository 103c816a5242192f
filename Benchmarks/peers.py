"""One peer, ready to be timed: a long-lived process that works only when it is told to.

It prepares, warms up and answers with a line of JSON; from then on every line on standard input is one turn, a few batches,
answered with a line of JSON. In between it sleeps on standard input, so that whoever else is timed has the machine alone.

    python peers.py --kind eager --model tf_efficientnetv2_b0 --size 192 --batch 32 --threads 2 --cache /tmp/peers
"""
import argparse
import importlib
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CLASSES = 1000


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=["eager", "compile", "onnx", "export"], required=True,
                        help="PyTorch training as it is or compiled; ONNX Runtime inference; export only writes its file")
    parser.add_argument("--model", required=True, help="a name of timm's")
    parser.add_argument("--size", type=int, required=True, help="side of the input in pixels")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--cache", required=True, help="folder for what is slow to make: ONNX files, compiled code")
    parser.add_argument("--turn", type=float, default=2, help="seconds of work per turn; three batches at least")
    return parser.parse_args()


def network_and_images(o):
    import timm
    import torch
    torch.set_num_threads(o.threads)
    torch.manual_seed(42)
    resized = {"img_size": o.size} if o.model.startswith("vit") else {}
    return timm.create_model(o.model, num_classes=CLASSES, **resized), torch.randn(o.batch, 3, o.size, o.size)


def training(o):
    """A whole step on one batch that stays in memory, which is what bench times on the other side."""
    import torch
    network, images = network_and_images(o)
    # The fastest layout of convolutions on a CPU.
    network = network.to(memory_format=torch.channels_last).train()
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (o.batch,))
    # The rate is tiny so that the numbers stay ordinary, however many steps are timed.
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)
    forward = torch.compile(network) if o.kind == "compile" else network

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(forward(images), labels).backward()
        optimizer.step()
    return step


def export(o, path):
    """Writes the network in evaluation mode, with a batch and the logits that the file must give for it."""
    import numpy
    import torch
    network, images = network_and_images(o)
    # New weights with untouched statistics make numbers that grow from layer to layer until rounding decides the logits.
    # Statistics of real activations keep them ordinary.
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(8, 3, o.size, o.size))
        logits = network.eval()(images)
    torch.onnx.export(network, (images,), path + ".part", input_names=["images"], output_names=["logits"],
                      external_data=False, verbose=False)
    numpy.savez(path + ".npz", images=images, logits=logits)
    os.replace(path + ".part", path)


def onnx_inference(o):
    import numpy
    import onnxruntime
    path = os.path.join(o.cache, f"{o.model}-{o.size}-{o.batch}.onnx")
    if not os.path.exists(path):
        # In a process of its own, so that PyTorch counts neither in this one's memory nor in its threads.
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--kind", "export"], check=True)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = o.threads
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Within a run its threads may spin, as they do by default; after it they must not.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    with numpy.load(path + ".npz") as saved:
        images, logits = saved["images"], saved["logits"]
    error = numpy.abs(session.run(None, {"images": images})[0] - logits).max() / numpy.abs(logits).max()
    if not error < 1e-3:
        sys.exit(f"{path} does not compute what the network does: relative error {error:.1e}")
    return lambda: session.run(None, {"images": images})


def peak_bytes():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    o = options()
    os.makedirs(o.cache, exist_ok=True)
    # OpenMP stays as it is installed: its threads give up spinning after about a millisecond, and with OMP_WAIT_POLICY=passive
    # small steps took 1.4 times as long.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(o.cache, "inductor")
    # Answers go to standard output; whatever a library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values):
        print(json.dumps(values), file=answers, flush=True)

    def timed():
        start = time.perf_counter()
        batch()
        return time.perf_counter() - start

    if o.kind == "export":
        return export(o, os.path.join(o.cache, f"{o.model}-{o.size}-{o.batch}.onnx"))
    libraries = ["onnxruntime"] if o.kind == "onnx" else ["torch", "timm"]
    for library in libraries:
        importlib.import_module(library)
    imported = peak_bytes()
    batch = onnx_inference(o) if o.kind == "onnx" else training(o)
    for _ in range(2):
        timed()
    answer(versions={name: importlib.metadata.version(name) for name in libraries}, imported_bytes=imported)
    for _ in sys.stdin:
        times = []
        while len(times) < 3 or sum(times) < o.turn:
            times.append(timed())
        answer(seconds=statistics.median(times), fastest=min(times), batches=len(times),
               peak_bytes=peak_bytes())


if __name__ == "__main__":
    main()
