"""The CNN in PyTorch on one thread: answers each line on standard input with a prediction or the loss of a training step,
and the median time of one."""
import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
given = json.loads(sys.stdin.readline())
w1, b1, w2, b2, w3, b3, w4, b4 = (torch.tensor(w["data"]).reshape(w["shape"]) for w in given["weights"])
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
logits = logits.to(memory_format=torch.channels_last)
images = torch.tensor(given["images"]).reshape(-1, 1, 28, 28).to(memory_format=torch.channels_last)


def predictor():
    model = torch.jit.trace(nn.Sequential(logits, nn.Softmax(-1)).eval(), images)
    model = torch.jit.optimize_for_inference(model)  # several times faster than freezing alone

    def predict():
        with torch.inference_mode():
            return model(images)

    return predict


def trainer():
    labels = torch.tensor(given["labels"])
    optimizer = torch.optim.Adam(logits.parameters(), eps=1e-7)
    cross_entropy = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = cross_entropy(logits(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


run = trainer() if given["task"] == "train" else predictor()
for _ in sys.stdin:
    # For a while: the process was asleep, and a call alone would show that. What counts as the result is that of the first.
    results, times, begin = [], [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < 0.02:
        start = time.perf_counter()
        results.append(run())
        times.append(1000 * (time.perf_counter() - start))
    answer = {"overriddenDuration": sorted(times)[len(times) // 2], "overriddenIterationCost": sum(times)}
    print(json.dumps({**answer, "data": results[0].flatten().tolist()}), flush=True)
