"""What a network is read from, beside widths and lines: its files, and models from elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..numbers.arrays import read_only
from .files.data_files import LIMIT
from .files.paths import as_path
from .foreign import Foreign
from .layers import build_dense

if TYPE_CHECKING:
    from .models.building import Built
    from .models.layered import Layered


class FromElsewhere:
    """Networks from TOML files, and from PyTorch, ONNX, Keras and scikit-learn."""

    @classmethod
    def from_toml(cls, path: str | Path, data_limit: int = LIMIT) -> Self:
        """A network from a TOML file: layers and loss, or lines of a program; weights, data.

        Where the file has data, `net.run()` without arguments runs on it; a CSV file of
        more than `data_limit` bytes is refused. Raises
        SpecError with every problem of the file, each with its line and key.
        """
        from .files.net_file import read_net_file
        from .files.net_program import ProgramSpec

        of: Any = cls
        path = as_path(path, "Network.from_toml", "net.toml")
        spec = read_net_file(path, data_limit)
        if isinstance(spec, ProgramSpec):
            net: Any = of.program(*spec.lines, params=spec.params, convention=spec.convention)
            data = {name: read_only(array) for name, array in spec.data.items()}
            net.facts = replace(net.facts, remarks=spec.remarks, data=data, axes=spec.axes)
            return net
        net = of.dense(
            spec.sizes,
            spec.activations,
            spec.loss if spec.loss_option is None else {spec.loss: spec.loss_option},
            reduction=spec.reduction,
            penalty=spec.penalty,
            seed=spec.seed,
            params=spec.params,
            squash_input=spec.squash_input,
        )
        net.facts = replace(
            net.facts,
            convention=spec.convention,
            seed=spec.seed,
            remarks=spec.remarks,
            data={k: read_only(v) for k, v in (("x", spec.x), ("y", spec.y)) if v is not None},
        )
        return net

    @classmethod
    def from_torch(cls, module: Any, example: Any, *, loss: Any = None) -> Self:
        """A network from a torch.nn.Module, traced by torch.export on an example.

        `example` is what the module reads, with the axes that it has in front, (n, …) or
        (n, t, …); a tuple where it reads several. With `loss`, an nn loss, the labels are the
        last: Network.from_torch(model, (x, y), loss=torch.nn.CrossEntropyLoss()). The only
        input is called x. Parameters keep their names, with underscores: 0.weight is
        p0_weight, and `state_dict()` gives them back under PyTorch's. A value is named by the
        module that gives it, one that a module gives on the way by the module and the op. It is
        compared with the module's own before it is handed out. Raises SpecError with all that
        is not known at once, each with its module; the page docs/models.md lists what is.
        """
        from .models.built import torch_built

        built, buffers, remarks = torch_built(module, example, loss)
        found: Self = network_of_model(cls, built, buffers)
        found.facts = replace(found.facts, remarks=remarks)  # type: ignore[attr-defined]
        return found

    @classmethod
    def from_onnx(cls, path: str | Path, example: Any = None) -> Self:
        """A network from an .onnx file, parsed by the onnx package; nothing in it is run.

        Without an `example` one is drawn in the shapes that the file declares. Parameters are
        the initial arrays of fractions, under their names with underscores; a kernel (inputs,
        outputs) that a MatMul reads is turned, and `state_dict()` gives it back. What the
        program gives for the example is compared with the reference evaluation of the onnx
        package. Raises SpecError for a file that is cut short, has its numbers in other files,
        or declares what it does not hold, and with all operators that are not known at once.
        """
        from .models.built import onnx_built

        found: Self = network_of_model(
            cls, onnx_built(as_path(path, "Network.from_onnx", "m.onnx"), example)
        )
        return found

    @classmethod
    def from_keras(cls, path: str | Path) -> Self:
        """A network from a .keras file of Keras 3, read by h5py, without Keras or TensorFlow.

        Sequential and functional models are read, as in evaluation. Values have the names of
        the layers, parameters those with kernel, bias, gamma, …: dense_1_kernel, turned to
        (outputs, inputs); `state_dict()` gives them as Keras has them. Raises SpecError for a
        file that is damaged, links to others or claims what it does not hold, and with all
        layers that are not known at once.
        """
        from .models.built import keras_built

        found: Self = network_of_model(
            cls, keras_built(as_path(path, "Network.from_keras", "m.keras"))
        )
        return found

    @classmethod
    def from_sklearn(cls, model: Any, examples: int | None = None) -> Self:
        """A network from a fitted MLPClassifier, MLPRegressor, LogisticRegression or Ridge.

        Its layers are W1, b1, …, its cost is the loss that scikit-learn fits, penalty included:

            MLPClassifier       mean cross-entropy + alpha/(2n) Σ W²
            MLPRegressor        mean of ½ (a − y)² over examples and outputs + alpha/(2n) Σ W²
            LogisticRegression  Σ cross-entropy + 1/(2C) Σ W², divided by n where n is given
            Ridge               Σ (a − y)² + alpha Σ W²

        `examples` is n. Labels are places in model.classes_. `state_dict()` has coefs_[0] and
        the others as scikit-learn has them. Raises SpecError for another model, one that is not
        fitted, and options that change the loss otherwise.
        """
        from .models.sklearn_models import read_sklearn

        found: Self = network_of_layers(cls, read_sklearn(model, examples))
        return found


def network_of_layers(of: Any, found: "Layered") -> Any:
    """The network of a model that is layers; one without a bias is a program."""
    steps, shapes = build_dense(
        found.sizes, found.activations, found.loss, found.reduction, False, {}, found.penalty
    )
    missing = [name for name in shapes if name not in found.parameters]
    if missing:
        kept = [replace(s, args=tuple(a for a in s.args if a not in missing)) for s in steps]
        net = of.program(*map(str, kept), params=found.params)
    else:
        net = of.dense(
            found.sizes,
            found.activations,
            found.loss,
            reduction=found.reduction,
            penalty=found.penalty,
            params=found.params,
        )
    foreign = Foreign({}, {}, {}, found.parameters)
    net.facts = replace(net.facts, foreign=foreign, remarks=found.remarks)
    return net


def network_of_model(of: Any, built: "Built", buffers: Mapping[str, Any] | None = None) -> Any:
    """The network of a model from elsewhere, with what it keeps of it."""
    net = of.program(*built.lines, params=built.params)
    constants = {name: read_only(np.array(array)) for name, array in built.constants.items()}
    foreign = Foreign(constants, built.axes, built.shapes, built.parameters, buffers, built.output)
    net.facts = replace(net.facts, foreign=foreign)
    return net
