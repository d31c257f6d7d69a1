"""A module of PyTorch as nodes: the graph is torch.export's, which runs nothing of its own.

Each call of an aten function becomes a node by the table in torch_calls; what depends on
constants alone is computed by PyTorch; MultiheadAttention is read whole, by its parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecError
from ...numbers.extras import extra
from ...writing.signs import type_of
from .model import Model, Node, Parameter
from .names import as_name, free_name
from .torch_attention import read_attention
from .torch_call import Call, UnknownError
from .torch_calls import CALLS
from .torch_compounds import LIKE, constant_like
from .torch_example import (
    WHO,
    given_by,
    in_one_line,
    input_names,
    named_loss,
    require_its_inputs,
    require_known_dtypes,
    seen_of,
    silently,
    tensors_of,
    with_loss,
)


@dataclass(frozen=True, eq=False)
class ReadModule:
    """A module as nodes, the example as arrays, what the module gives for it, and its state_dict.

    In `state` a parameter is its foreign name, a buffer its array. `own_backwards` are functions
    whose backward is the module's own, which is not read.
    """

    model: Model
    arrays: dict[str, np.ndarray]
    output: np.ndarray
    state: dict[str, Any]
    own_backwards: tuple[str, ...] = ()


def read_torch(module: Any, example: Any, loss: Any = None) -> ReadModule:
    """The nodes of a module for an example.

    `example` is the input with the axes that it has in front, or a tuple of inputs; with `loss`
    the labels are the last of them. Raises SpecError for what torch.export cannot trace.
    """
    torch = extra("torch", WHO)
    if not isinstance(module, torch.nn.Module):
        raise SpecError(
            f"{WHO} is given {type_of(module)}, not a torch.nn.Module.\n"
            "  Write Network.from_torch(model, x)."
        )
    require_known_dtypes(torch, module)
    tensors = tensors_of(torch, example)
    whole = module if loss is None else with_loss(torch, module, loss, tensors)
    require_its_inputs(module, tensors, loss)
    prefix = "" if loss is None else "model."
    name = type(module).__name__
    found, backwards = given_by(torch, whole, tensors, name)
    exported = _exported(torch, whole, tensors, name, backwards)
    reader = _Reader(torch, whole, exported, prefix)
    model = reader.read(name)
    arrays = {
        model.names[key]: np.array(t.detach().cpu().numpy())
        for key, t in zip(reader.input_keys, tensors, strict=True)
    }
    output = np.array(found.detach().cpu().numpy())
    return ReadModule(model, arrays, output, _state(module, model), backwards)


def _exported(
    torch: Any, whole: Any, tensors: tuple[Any, ...], name: str, backwards: tuple[str, ...]
) -> Any:
    """The graph of torch.export; SpecError that says what it cannot trace."""
    seen_of(whole).clear()
    try:
        with silently(torch):
            return torch.export.export(whole, tensors)
    except Exception as error:
        what = named_loss(whole.loss) if seen_of(whole) else name
        advice = "Write its forward without branches on numbers of a tensor"
        if backwards:
            advice += (
                f", and that of {', '.join(backwards)}, torch.autograd.Function, in functions of "
                "torch alone"
            )
        raise SpecError(
            f"{WHO}: torch.export cannot trace {what}: {in_one_line(error)}\n  {advice}."
        ) from None


def _state(module: Any, model: Model) -> dict[str, Any]:
    """The state_dict: each parameter by the name of the first that is tied to it, buffers whole."""
    own = dict(module.named_parameters(remove_duplicate=False))
    first: dict[int, str] = {}
    found: dict[str, Any] = {}
    for name, value in module.state_dict().items():
        if name in own:
            found[name] = first.setdefault(id(own[name]), name)
        else:
            found[name] = np.array(value.detach().cpu().numpy())
    return found


class _Reader:
    """The nodes of one exported graph, in order."""

    def __init__(self, torch: Any, module: Any, exported: Any, prefix: str) -> None:
        self.torch, self.module, self.exported, self.prefix = torch, module, exported, prefix
        self.constants: dict[str, Any] = {}  # tensors by the name of a graph's node
        self.parts: dict[str, str] = {}  # of a call that gives several values
        self.whole: dict[str, Any] = {}  # attention modules by their place

    def read(self, source: str) -> Model:
        model = Model(source)
        signature = self.exported.graph_signature
        state = dict(self.module.named_parameters(remove_duplicate=False))
        self.names = self._input_names(signature)
        graph = self.exported.graph
        for node in graph.nodes:
            if node.op == "placeholder":
                self._placeholder(model, signature, state, node)
        calls = [node for node in graph.nodes if node.op == "call_function"]
        self.last = self._last_of_modules(calls)
        self.results = [str(a) for a in signature.user_outputs]
        if len(self.results) != 1:
            model.wrong(
                source, f"it gives {len(self.results)} values", "give one, the output or the loss"
            )
        attended: set[tuple[str, str]] = set()
        for node in calls:
            attention = self._attention(node)
            if attention is not None:
                if attention not in attended:
                    attended.add(attention)
                    self._multi_head(model, calls, *attention)
                continue
            self._call(model, node)
        model.outputs = tuple(self.alias.get(name, name) for name in self.results[:1])
        if self.results and self.results[0] in self.constants:
            model.wrong(source, "its output reads no input and no parameter")
        self._drop_unread(model)
        return model

    def _placeholder(self, model: Model, signature: Any, state: Any, node: Any) -> None:
        name = node.name
        if name in signature.inputs_to_parameters:
            foreign = signature.inputs_to_parameters[name]
            tensor = state[foreign]
            plain = foreign.removeprefix(self.prefix)
            first = next(
                (key for key, known in self.by_tensor.items() if known is tensor),
                None,
            )
            if first is not None:
                self.alias[name] = first
                return
            self.by_tensor[name] = tensor
            model.parameters[name] = Parameter(plain, np.array(tensor.detach().cpu().numpy()))
        elif name in signature.inputs_to_buffers:
            foreign = signature.inputs_to_buffers[name]
            known = {**dict(self.module.named_buffers()), **self.exported.constants}
            self.constants[name] = known[foreign].detach().clone()
            model.called[name] = foreign.removeprefix(self.prefix)
        elif name in signature.inputs_to_lifted_tensor_constants:
            foreign = signature.inputs_to_lifted_tensor_constants[name]
            self.constants[name] = self.exported.constants[foreign].detach().clone()
        elif name in self.names:
            model.inputs[name] = tuple(node.meta["val"].shape)
            model.names[name] = self.names[name]
        else:
            model.wrong(name, "it is neither an input nor a parameter")

    by_tensor: dict[str, Any]
    alias: dict[str, str]

    def _input_names(self, signature: Any) -> dict[str, str]:
        """The only input is x, several have their own names; the labels of a loss are y."""
        self.by_tensor, self.alias = {}, {}
        keys = [str(name) for name in signature.user_inputs]
        self.input_keys = keys
        if not self.prefix:
            return {key: "x" if len(keys) == 1 else as_name(key, "x") for key in keys}
        inputs = [as_name(name, "x") for name in input_names(self.module.model, len(keys) - 1)]
        return dict(zip(keys, [*inputs, free_name("y", inputs)], strict=True))

    def _stack(self, node: Any) -> list[tuple[str, str]]:
        """The modules that a call stands in, the outermost first: place, and which call of it."""
        inner = [(p, which) for p, which in self._modules(node) if p + "." != self.prefix]
        return [(path.removeprefix(self.prefix), which) for path, which in inner]

    def _modules(self, node: Any) -> list[tuple[str, str]]:
        """The same with the places as they are beside the loss; the whole itself left out."""
        stack = (node.meta.get("nn_module_stack") or {}).items()
        return [
            (path, which)
            for which, (path, _) in stack
            if path and not (path.startswith("L__self__") and "." not in path)
        ]

    def _place(self, node: Any) -> str:
        stack = self._stack(node)
        return stack[-1][0] if stack else ""

    def _last_of_modules(self, calls: Sequence[Any]) -> dict[str, str]:
        """The last call of each module, which gives its output: the name of the module."""
        last: dict[str, str] = {}
        for node in calls:
            for path, _ in self._stack(node):
                last[path] = node.name
        found: dict[str, str] = {}
        for path, name in last.items():
            if len(path.split(".")) >= len(found.get(name, "").split(".")) or name not in found:
                found[name] = path
        return found

    def _called(self, node: Any) -> str:
        """How the value of a call is named: by the module whose output it is."""
        if node.name in self.results and tuple(getattr(node.meta.get("val"), "shape", (0,))) == ():
            return "J"
        if node.name in self.last:
            return as_name(self.last[node.name], "v")
        place = self._place(node)
        kind = getattr(node.target, "__name__", str(node.target)).split(".")[0].strip("_")
        return as_name(f"{place}_{kind}" if place else kind, "v")

    def _told(self, node: Any) -> str:
        """Where a call stands, for a message: module 'blocks.0', aten.cumsum."""
        place = self._place(node)
        name = str(node.target).removesuffix(".default")
        if place:
            return f"module {place!r}, {name}"
        of_model = any(p + "." == self.prefix for p, _ in self._modules(node))
        return f"the loss, {name}" if self.prefix and not of_model else name

    def _call(self, model: Model, node: Any) -> None:
        name = node.name
        if getattr(node.target, "__name__", "") == "getitem":
            source, place = node.args[0].name, node.args[1]
            if source in self.constants:
                self.constants[name] = self.constants[source][place]
            else:
                self.alias[name] = f"{self.alias.get(source, source)}#{place}"
            return
        if self._fold(node):
            return
        target = str(node.target)
        rule: Callable[[Call], list[Node]] | None = CALLS.get(target.partition(".default")[0])
        call = Call(
            node,
            [self._key(model, a) for a in node.args],
            {k: self._key(model, v) for k, v in node.kwargs.items()},
            self._called(node),
            self._told(node),
            self.constants,
            model.constants,
        )
        if rule is None:
            model.wrong(self._told(node), "it is not known")
            model.nodes.append(Node("unread", (), name, (), "", self._told(node)))
            return
        try:
            model.nodes += rule(call)
        except UnknownError as error:
            model.wrong(self._told(node), str(error))
            model.nodes.append(Node("unread", (), name, (), "", self._told(node)))

    def _fold(self, node: Any) -> bool:
        """Whether a call depends on constants alone, or on shapes; PyTorch computes it then."""
        args = [self._known(a) for a in node.args]
        kwargs = {k: self._known(v) for k, v in node.kwargs.items()}
        with self.torch.no_grad():
            if self._constant(node.args) and self._constant(tuple(node.kwargs.values())):
                self.constants[node.name] = node.target(*args, **kwargs)
            elif getattr(node.target, "__name__", "").partition(".")[0] in LIKE:
                self.constants[node.name] = constant_like(self.torch, node, args, kwargs)
            else:
                return False
        return True

    def _constant(self, args: Any) -> bool:
        """Whether nothing among the arguments is an input, a parameter, or computed from one."""
        for arg in args:
            if isinstance(arg, list | tuple):
                if not self._constant(arg):
                    return False
            elif hasattr(arg, "op") and hasattr(arg, "target") and arg.name not in self.constants:
                return False
        return True

    def _known(self, arg: Any) -> Any:
        """An argument with constant tensors in place of their names."""
        if isinstance(arg, list | tuple):
            return type(arg)(self._known(a) for a in arg)
        if hasattr(arg, "op") and hasattr(arg, "target"):
            return self.constants.get(arg.name, arg)
        return arg

    def _key(self, model: Model, arg: Any) -> Any:
        """An argument as a key of the model, or the number or list that it is."""
        if isinstance(arg, list | tuple):
            return [self._key(model, a) for a in arg]
        if hasattr(arg, "op") and hasattr(arg, "target"):
            name = arg.name
            if name in self.constants:
                tensor = self.constants[name]
                if name not in model.constants and hasattr(tensor, "detach"):
                    model.constants[name] = np.array(tensor.detach().cpu().numpy())
                return name
            return self.alias.get(name, name)
        return arg

    def _module(self, path: str) -> Any:
        """The module at a place as it is called without the loss around it."""
        root = self.module.model if self.prefix else self.module
        try:
            return root.get_submodule(path)
        except AttributeError:  # the loss
            return None

    def _attention(self, node: Any) -> tuple[str, str] | None:
        """The place of the MultiheadAttention that a call belongs to, and which call of it."""
        for path, which in self._stack(node):
            if path not in self.whole:
                module = self._module(path)
                kind = self.torch.nn.MultiheadAttention
                self.whole[path] = module if type(module) is kind else None
            if self.whole[path] is not None:
                return path, which
        return None

    def _multi_head(self, model: Model, calls: Sequence[Any], path: str, which: str) -> None:
        """One node for a MultiheadAttention: what it reads from outside, and its parameters."""
        inside = [n for n in calls if (path, which) in self._stack(n)]
        names = {n.name for n in inside}
        for node in inside:
            self._fold(node)
        read = {a.name for n in calls for a in n.all_input_nodes if n.name not in names}
        given = [n for n in inside if n.name in read or n.name in self.results]
        own = {
            parameter.foreign.removeprefix(path + "."): key
            for key, parameter in model.parameters.items()
            if parameter.foreign.startswith(path + ".")
        }
        told = f"module {path!r}, MultiheadAttention"
        try:
            reads, options = read_attention(self.whole[path], inside, given, own, self.constants)
        except UnknownError as error:
            model.wrong(told, str(error))
            model.nodes += [Node("unread", (), n.name, (), "", told) for n in given]
            return
        keys = tuple(self._key(model, n) if hasattr(n, "op") else n for n in reads)
        shape = tuple(given[0].meta["val"].shape)
        called = as_name(path, "v")
        model.nodes.append(Node("multi_head", keys, given[0].name, shape, called, told, options))

    def _drop_unread(self, model: Model) -> None:
        """Leave out what leads to no output: counts of batches, values that are not returned."""
        if model.problems:
            return
        needed = set(model.outputs)
        kept = []
        for node in reversed(model.nodes):
            base = node.gives.partition("#")[0]
            wanted = {n.partition("#")[0] for n in needed}
            if node.gives in needed or base in wanted:
                kept.append(node)
                needed |= {key for key in node.reads if key is not None}
                needed |= set(node.options.get("states", ()))
                needed |= {k for keys in node.options.get("layers", ()) for k in keys}
        model.nodes = kept[::-1]
