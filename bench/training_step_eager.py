"""Seconds of one training step of ResNet-20 (CIFAR-10, option A) in PyTorch eager, median of runs.

    .venv/bin/python bench/training_step_eager.py [BATCH] [THREADS]
"""
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.grow = (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.grow:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow, self.grow))
        return F.relu(x + y)


def resnet20():
    layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for outputs in (16, 32, 64):
        for i in range(3):
            layers.append(Block(inputs, outputs, 2 if i == 0 and outputs > 16 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main():
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    torch.manual_seed(0)
    for memory in (torch.contiguous_format, torch.channels_last):
        model = resnet20().train().to(memory_format=memory)
        x = torch.randn(batch, 3, 32, 32).to(memory_format=memory)
        labels = torch.randint(10, (batch,))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True,
                                    weight_decay=1e-4)
        seconds = []
        for i in range(26):
            start = time.perf_counter()
            optimizer.zero_grad()
            F.cross_entropy(model(x), labels).backward()
            optimizer.step()
            if i >= 5:
                seconds.append(time.perf_counter() - start)
        print(f"eager, {str(memory).removeprefix('torch.')} {statistics.median(seconds):.4f} s")


if __name__ == "__main__":
    main()
