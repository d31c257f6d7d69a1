"""The aten functions that are known, each as one node: a table from its name to a rule."""

from . import torch_entries as entries
from . import torch_layers as layers
from . import torch_places as places
from .torch_call import Rule
from .torch_compounds import COMPOUNDS

ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide"}

CALLS: dict[str, Rule] = {
    **{
        f"aten.{name}{inplace}": entries.unary(name)
        for name in (
            *("relu", "sigmoid", "tanh", "silu", "exp", "log", "sqrt", "abs", "sin", "cos"),
        )
        for inplace in ("", "_")
    },
    "aten.neg": entries.unary("negative"),
    "aten.rsqrt": entries.unary("power", p=-0.5),
    "aten.reciprocal": entries.unary("power", p=-1.0),
    "aten.square": entries.unary("power", p=2.0),
    "aten.gelu": entries.gelu,
    "aten.elu": entries.elu,
    "aten.elu_": entries.elu,
    "aten.leaky_relu": entries.leaky_relu,
    "aten.leaky_relu_": entries.leaky_relu,
    "aten.pow.Tensor_Scalar": entries.power,
    **{
        f"aten.{name}{inplace}.{kind}": entries.binary(word)
        for name, word in ARITHMETIC.items()
        for inplace in ("", "_")
        for kind in ("Tensor", "Scalar")
    },
    **{
        f"aten.{name}": entries.same
        for name in ("contiguous", "clone", "alias", "lift_fresh_copy", "detach_copy")
    },
    "aten.rsub.Scalar": entries.reversed_difference,
    "aten.rsub.Tensor": entries.reversed_difference,
    "aten.dropout": entries.dropout,
    "aten.dropout_": entries.dropout,
    "aten.feature_dropout": entries.dropout,
    "aten.linear": lambda call: call.one("linear", [call["input"], call["weight"], call["bias"]]),
    "aten.matmul": lambda call: call.one("matmul", [call["self"], call["other"]]),
    "aten.mm": lambda call: call.one("matmul", [call["self"], call["mat2"]]),
    "aten.bmm": lambda call: call.one("matmul", [call["self"], call["mat2"]]),
    "aten.einsum": layers.einsum,
    "aten.conv1d": layers.convolution,
    "aten.conv2d": layers.convolution,
    "aten.conv1d.padding": layers.convolution,
    "aten.conv2d.padding": layers.convolution,
    "aten.max_pool1d": layers.pool("max_pool"),
    "aten.max_pool2d": layers.pool("max_pool"),
    "aten.avg_pool1d": layers.pool("average_pool"),
    "aten.avg_pool2d": layers.pool("average_pool"),
    "aten.adaptive_avg_pool1d": layers.adaptive_pool,
    "aten.adaptive_avg_pool2d": layers.adaptive_pool,
    "aten.layer_norm": layers.norm("layer_norm"),
    "aten.rms_norm": layers.norm("rms_norm"),
    "aten.batch_norm": layers.batch_norm,
    "aten.group_norm": layers.group_norm,
    "aten.embedding": layers.embedding,
    **{
        f"aten.{name}": places.reshape
        for name in (
            "view",
            "reshape",
            "_unsafe_view",
            "flatten.using_ints",
            "unflatten.int",
            "squeeze.dim",
            "squeeze",
            "squeeze.dims",
            "unsqueeze",
        )
    },
    "aten.expand": lambda call: call.one("expand", [call["self"]]),
    **{
        f"aten.{name}": places.transpose
        for name in ("transpose.int", "permute", "t", "numpy_T", "mT")
    },
    "aten.slice.Tensor": places.part,
    "aten.narrow": places.narrow,
    "aten.select.int": places.select,
    "aten.split.Tensor": places.split,
    "aten.split_with_sizes": places.split,
    "aten.split.sizes": places.split,
    "aten.chunk": places.split,
    "aten.unbind.int": places.unbind,
    "aten.broadcast_tensors": places.broadcast,
    "aten.cat": places.concat,
    "aten.concat": places.concat,
    "aten.stack": places.stack,
    "aten.mean": places.reduction("mean"),
    "aten.mean.dim": places.reduction("mean"),
    "aten.sum": places.reduction("sum"),
    "aten.sum.dim_IntList": places.reduction("sum"),
    "aten.softmax.int": places.softmax(log=False),
    "aten.log_softmax.int": places.softmax(log=True),
    "aten.masked_fill.Scalar": entries.masked_fill,
    "aten.masked_fill_.Scalar": entries.masked_fill,
    "aten.where.ScalarOther": entries.where,
    "aten.where.self": entries.where,
    "aten.scaled_dot_product_attention": layers.attention,
    "aten.mse_loss": layers.loss("squared_error"),
    "aten.huber_loss": layers.loss("huber"),
    "aten.smooth_l1_loss": layers.loss("huber"),
    "aten.binary_cross_entropy": layers.loss("bce"),
    "aten.binary_cross_entropy_with_logits": layers.loss("bce_logits"),
    "aten.cross_entropy_loss": layers.loss("cross_entropy"),
    "aten.nll_loss_nd": layers.loss("nll"),
    "aten.nll_loss": layers.loss("nll"),
    "aten.rnn_tanh_cell": layers.cell("rnn"),
    "aten.rnn_relu_cell": layers.cell("rnn_relu"),
    "aten.lstm_cell": layers.cell("lstm"),
    "aten.gru_cell": layers.cell("gru"),
    "aten.rnn_tanh.input": layers.recurrent("rnn"),
    "aten.rnn_relu.input": layers.recurrent("rnn_relu"),
    "aten.lstm.input": layers.recurrent("lstm"),
    "aten.gru.input": layers.recurrent("gru"),
    **COMPOUNDS,
}
