"""Write the files beside this script: python tests/network/models/made/make.py

It needs torch, onnxscript and onnx.
"""

from pathlib import Path

HERE = Path(__file__).parent


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


if __name__ == "__main__":
    iris()
