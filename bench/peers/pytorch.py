"""PyTorch on one thread: reads questions as lines of JSON from standard input and answers each with one line.

A question with a `task` prepares it and answers with its first `result`; `{"run": task, "by": "median"}` answers with the time of one call,
the median or the least of several."""
import base64
import json
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


def decode(given):
    data = numpy.frombuffer(base64.b64decode(given["data"]), dtype="float32")
    return torch.from_numpy(data.reshape(given["shape"]).copy())


def encode(tensor):
    return base64.b64encode(tensor.detach().contiguous().numpy().astype("float32").tobytes()).decode()


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


# One op --------------------------------------------------------------------------------------------------------------------

ELEMENTWISE = {"relu": torch.relu, "tanh": torch.tanh, "exp": torch.exp, "sigmoid": torch.sigmoid, "add": torch.add}


def image_op(given, x, weights):
    options = given["options"]
    if given["op"] == "maxPool":
        return nn.MaxPool2d(options["size"], options["strides"])
    kernel = weights[0]  # HWIO; depthwise: HWC1
    groups = x.shape[1] if given["op"] == "depthwise" else 1
    kernel = kernel.permute(2, 3, 0, 1) if groups > 1 else kernel.permute(3, 2, 0, 1)
    layer = nn.Conv2d(x.shape[1], kernel.shape[0], kernel.shape[2], options["strides"], options["pad"], groups=groups,
                      bias=False)
    with torch.no_grad():
        layer.weight.copy_(kernel)
    return layer


def frozen(module, *examples):
    return torch.jit.optimize_for_inference(torch.jit.trace(module.eval(), examples))


def calls(given):
    """Ways to compute a row, of which the fastest counts, and what makes our layout of the result."""
    tensors = [decode(each) for each in given["operands"]]
    name, options = given["op"], given["options"] if "options" in given else {}
    if tensors[0].dim() == 4:
        ways = []
        for layout in (torch.contiguous_format, torch.channels_last):
            x = nchw(tensors[0]).to(memory_format=layout)
            module = image_op(given, x, tensors[1:]).to(memory_format=layout)
            model = frozen(module, x) if name != "maxPool" else module
            ways.append(lambda model=model, x=x: model(x))
        return ways, lambda y: y.permute(0, 2, 3, 1)
    if name == "matmul":
        a, b = tensors
        a = a.transpose(-1, -2) if options["transposeA"] else a
        b = b.transpose(-1, -2) if options["transposeB"] else b
        ways = [lambda: torch.matmul(a, b)]
        if given["inputs"] == 1:  # b is a weight: a layer of it, frozen
            layer = nn.Linear(b.shape[0], b.shape[1], bias=False)
            with torch.no_grad():
                layer.weight.copy_(b.t())
            model = frozen(layer, a)
            ways.append(lambda: model(a))
        return ways, lambda y: y
    if name == "softmax":
        return [lambda: torch.softmax(tensors[0], -1)], lambda y: y
    if name == "transpose":
        return [lambda: tensors[0].t().contiguous()], lambda y: y
    return [lambda: ELEMENTWISE[name](*tensors)], lambda y: y


def op(given):
    ways, ours = calls(given)

    def inferring(way):
        def run():
            with torch.inference_mode():
                return way()

        return run

    ways = [inferring(way) for way in ways]
    fastest = min(ways, key=lambda way: measure(way, 0.05)["overriddenDuration"])
    return fastest, ours(fastest())


# The Keras CNN -------------------------------------------------------------------------------------------------------------


def cnn(given):
    w1, b1, w2, b2, w3, b3, w4, b4 = (decode(each) for each in given["weights"])
    # Keras: HWIO and [in, out], flattened channels last. PyTorch: OIHW and [out, in], flattened channels first.
    w1, w2 = w1.permute(3, 2, 0, 1), w2.permute(3, 2, 0, 1)
    w3 = w3.reshape(5, 5, 64, 64).permute(2, 0, 1, 3).reshape(1600, 64)
    logits = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 64), nn.ReLU(), nn.Linear(64, 10),
    )
    with torch.no_grad():
        for parameter, value in zip(logits.parameters(), [w1, b1, w2, b2, w3.t(), b3, w4.t(), b4]):
            parameter.copy_(value)
    images = nchw(decode(given["images"])).to(memory_format=torch.channels_last)
    return logits.to(memory_format=torch.channels_last), images


def predict(given):
    logits, images = cnn(given)
    model = frozen(nn.Sequential(logits, nn.Softmax(-1)), images)  # several times faster than freezing alone

    def run():
        with torch.inference_mode():
            return model(images)

    return run, run()


def train(given):
    logits, images = cnn(given)
    labels = torch.tensor(given["labels"])
    optimizer = torch.optim.Adam(logits.parameters(), eps=1e-7)
    cross_entropy = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = cross_entropy(logits(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step, step()


# Questions and answers -----------------------------------------------------------------------------------------------------


def measure(run, seconds, by="min"):
    """For a while: the process was asleep, and a call alone would show that."""
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    one = min(times) if by == "min" else sorted(times)[len(times) // 2]
    return {"overriddenDuration": one, "overriddenIterationCost": sum(times)}


TASKS = {"op": op, "predict": predict, "train": train}
ready = None
for line in sys.stdin:
    question = json.loads(line)
    try:
        if "run" in question:
            answer = measure(ready, 0.02, question["by"])
        else:
            ready, result = TASKS[question["task"]](question)
            answer = {"result": encode(result)}
    except Exception as error:  # told to whoever asked
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
