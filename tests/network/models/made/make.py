"""Write the files beside this script: python tests/network/models/made/make.py

It needs torch, onnxscript, onnx and keras.
"""

import os
from pathlib import Path

HERE = Path(__file__).parent
os.environ.setdefault("KERAS_BACKEND", "torch")


def iris():
    import onnx
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    options = {"input_names": ["x"], "dynamo": True, "external_data": False}
    torch.onnx.export(model, (torch.randn(2, 4),), HERE / "iris.onnx", **options)
    made = onnx.load(HERE / "iris.onnx")
    for part in (made, made.graph, *made.graph.node, *made.graph.value_info, *made.graph.input):
        del part.metadata_props[:]  # where each module's source stood
    onnx.save(made, HERE / "iris.onnx")


def keras_files():
    """Weights alone, and a model with attention and recurrent layers; what each gives for ones."""
    import keras
    import numpy as np

    layers = keras.layers
    keras.utils.set_random_seed(0)
    sizes = [5] * 11 + [2]
    dense = keras.Sequential([keras.Input((3,)), *[layers.Dense(n, "tanh") for n in sizes]])
    shuffled(dense)
    dense.save_weights(HERE / "dense.weights.h5")
    x = keras.Input((5, 6))
    h = layers.MultiHeadAttention(2, 3, value_dim=4)(x, x, use_causal_mask=True)
    h = layers.LSTM(7, return_sequences=True)(h)
    h = layers.SimpleRNN(4, return_sequences=True)(layers.GRU(3, return_sequences=True)(h))
    tokens = keras.Model(x, layers.Dense(2)(layers.LSTM(3)(h)))
    shuffled(tokens)
    tokens.save(HERE / "tokens.keras")
    answers = {
        "dense": dense.predict(np.linspace(-1, 1, 21).reshape(7, 3).astype("f"), verbose=0),
        "tokens": tokens.predict(np.linspace(-1, 1, 210).reshape(7, 5, 6).astype("f"), verbose=0),
    }
    np.savez(HERE / "keras_answers.npz", **answers)


def shuffled(model):
    """Weights that are random, biases too."""
    import numpy as np

    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))


if __name__ == "__main__":
    iris()
    keras_files()
