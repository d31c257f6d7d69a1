"""What names are in a text of several recurrent steps: dh in round t is ∂J/∂h_t.

A name that courses use in two ways, as dh_next for ∂J/∂h_t and for what step t hands back, is
whichever of the two its value is.
"""

import ast
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..lines.function_names import FORMULAS, function_of
from ..lines.vocabulary import COUNT, PENALTY, RATE, Quantity, words
from .cell_steps import GATES, name_at
from .cells import ABOUT_TO, NAMES, CellQuantities
from .gate_order import OF_GATES
from .limits import NotReadError
from .lines_of_steps import handed_on, is_product, softmax, words_of
from .store import MASKED, Store

OUTPUTS = {  # of what the output layer computes -> what courses call it
    "score": words("y ys yt y_t out outs output outputs scores logits o os ot o_t score zy s z u"),
    "p": words("p ps pt prob probs y_hat yhat y_hats y_pred preds pred softmax o os ot y ys a"),
    "y": words("target targets y ys labels label t y_true yt ts expected"),
}
LENGTH = words(
    "seq_length seq_len sequence_length t_x tx timesteps time_steps n_steps num_steps steps seq"
)
SIZES_OF = {
    "x": words("vocab_size input_size input_dim n_x d n_in vocabulary_size word_dim v feature_len"),
    "h": words("hidden_size hidden_dim n_a n_h h hidden n_hidden hidden_layer_size"),
    "score": words("output_size output_dim n_y n_out num_classes c o"),
}
UPSTREAM = words("dh da dhs dout dh_out dh_all d_h dh_t upstream")
CACHES = words("cache caches")
STACKS = words("x h score p y c i f g o")  # of every step together
LEFT_OUT = re.compile(r"_?(?:t|step|i|local|cur|curr|this)$")


class StepCache:
    """What a forward pass keeps of a step, where the text does not say it: its input first."""

    def __init__(self, first: np.ndarray) -> None:
        self.first = first


class SequenceQuantities(CellQuantities):
    """The quantities of several steps. `time` is the step of the round that is walked, from 1."""

    def __init__(self, *given: Any) -> None:
        self.time: int | None = None
        self._meanings_of: dict[tuple[str, int | None, bool, bool], list[Quantity]] = {}
        self.carried: set[tuple[str, int]] = set()  # what a round hands to the next, in which line
        self._parameters: dict[str, str | None] = {}
        self.inside = False  # whether it is a function of one step that is walked
        super().__init__(*given)
        self.steps = sum(q.of in ("h1", "h2", "h3") and q.kind == "value" for q in self.known)

    # ---------------------------------------------------------------- arrays

    def _laid(self, quantity: Quantity, array: np.ndarray) -> np.ndarray:
        if array.ndim == 3:
            inner = Quantity(quantity.kind, "x")
            axis = {"list": 0, "middle": 1, "last": -1}[self.naming.times]
            steps = [super(SequenceQuantities, self)._laid(inner, one) for one in array]
            return np.stack(steps, axis if steps[0].ndim > 1 else 0)
        name = quantity.of.split("∂J/∂")[-1]
        plain = name if name in ("W", "U", "b", "V", "by") or name[1:2] == "_" else "x"
        return super()._laid(
            Quantity(quantity.kind, "z" if name.startswith("z at") else plain), array
        )

    def _join(self) -> None:
        """The weights of each gate by x and by h in one array, as x and h are."""
        across = 0 if self.layout.convention.weights == "in,out" else 1
        along = 0 if self.columns or self.layout.one else 1
        names = [q for q in self.known if q.of.split("∂J/∂")[-1][:2] == "U_"]
        for of_h in names:
            of_x = Quantity(of_h.kind, of_h.of.replace("U_", "W_"))
            pair = [self.known.pop(of_h), self.known.pop(of_x)]
            self.known[of_x] = np.concatenate(self._in_order(pair), across)
        for t in range(1, 4):
            pair = [self.value(f"h{t - 1}"), self.value(f"x{t}")]
            joined = np.concatenate(self._in_order(pair), along)
            self.known[Quantity("value", f"h{t - 1} with x{t}")] = joined

    def _in_order(self, pair: list[np.ndarray]) -> list[np.ndarray]:
        return pair if self.naming.gates == "h" else pair[::-1]

    @property
    def output(self) -> str:
        return f"h{self.steps}"

    # ---------------------------------------------------------------- the rounds of a loop

    def times(self, items: list[Any]) -> list[int] | None:
        """Which step each round of a loop is of; None where it goes through something else."""
        first = [item[0] if isinstance(item, tuple) and item else item for item in items]
        if len(items) == self.steps and all(type(i) in (int, np.int64) for i in first):
            lowest = min(first)
            if sorted(first) == list(range(lowest, lowest + self.steps)) and lowest in (0, 1):
                return [i - lowest + 1 for i in first]
        found = [self._step_of(item) for item in items]
        if items and None not in found and len(set(found)) == len(items):
            return [t for t in found if t is not None]
        coded = "x" in self.naming.coded and all(isinstance(one, int) for one in first)
        return list(range(1, self.steps + 1)) if coded and len(items) == self.steps else None

    def _step_of(self, item: Any) -> int | None:
        """The step that an input, a target or another value is of."""
        if isinstance(item, StepCache):
            return None
        parts = item if isinstance(item, tuple) else (item,)
        for part in (p for p in parts if isinstance(p, np.ndarray)):
            for quantity, array in self.known.items():
                step = re.fullmatch(r"(?:x|h|y|p|score|c)(\d)", quantity.of)
                if step and array.shape == part.shape and np.array_equal(array, part):
                    return int(step[1])
        return None

    def goes_through(self, body: tuple[ast.stmt, ...]) -> None:
        self.carried |= handed_on(body)

    def named(self, value: Any) -> set[Quantity]:
        """The quantity that this very array is; of a label that it is one."""
        found = super().named(value)
        of_label = any(q.kind == "value" and re.fullmatch(r"y\d", q.of) for q in found)
        return found | {Quantity("value", "y")} if of_label else found

    def stands(self, time: int | None, inside: bool) -> None:
        self.time, self.inside = time, inside

    # ---------------------------------------------------------------- names that are read

    def lookup(self, word: str, bag: str = "") -> Any:
        low = word.lower().strip("_")
        if word in self.numbers:
            return self.numbers[word]
        if low in CACHES:
            return None if self.inside else self._caches_of_steps()
        if word == "T" or low in LENGTH or "truncate" in low:
            return self.steps
        if low in PENALTY:
            return 0.0
        if self.inside and self.time is not None:
            found = self._of_step(low, self.time)
            if found is not None:
                return found
        if name := self._parameter(low):
            return self.value(name)
        if (whole := self._whole(low)) is not None:
            return whole
        for name, spelt in SIZES_OF.items():
            if low in spelt and (word.isupper() or len(low) > 1):
                return self.units_of(name)
        if low in COUNT or word == "N":
            return self.examples
        return 1.0 if low in RATE else None

    def _caches_of_steps(self) -> list[StepCache]:
        return [StepCache(self.value(f"x{t}")) for t in range(1, self.steps + 1)]

    def _whole(self, low: str) -> Any:
        """What the function of all steps is handed: all x, the state before, ∂J/∂h by the loss."""
        last = self.steps if "l" in self.naming.coded else 0
        if last and low in words("dy d_y dscores dout dlogits dl_dy"):
            return self.known[Quantity("gradient", f"score{last}")]
        if last and (name := next((n for n in ("y", "p") if low in OUTPUTS[n]), None)):
            return self.value(f"{name}{last}")
        if last and low in ("dh", "d_h", "dh_last"):
            return self.known[Quantity("gradient", f"h{last}")]
        if low in UPSTREAM and (low != "dout"):
            return self.known[Quantity("gradient", "h by the scores")]
        if low in words("dy dys dscores douts dout d_y dlogits"):
            return self.known[Quantity("gradient", "score")]
        if low in NAMES["h"] or low in words("h0 a0 hprev h_init s0 initial_h initial_state"):
            return self.value("h0")
        if Quantity("value", "c0") in self.known and low in NAMES["c"]:
            return self.value("c0")
        single = low[:-1] if low.endswith("s") and low not in ("s", "as", "bs", "loss") else low
        if low in NAMES["x"] or single in NAMES["x"]:
            return self._each("x")
        if low in words("h hs s states hidden_states h_states a hiddens last_hs hidden h_list"):
            return self._each("h")
        if low in OUTPUTS["y"]:
            return self._each("y")
        if low in ("c", "cs") and Quantity("value", "c0") in self.known:
            return self._each("c")
        for gate, spelt in OF_GATES.items():
            if (low in spelt or single in spelt) and Quantity("value", gate) in self.known:
                return self._each(gate)
        if low in words("p ps probs y_hat yhat y_hats y_pred preds a_out outputs o"):
            return self._each("p")
        return None

    def _each(self, name: str) -> Any:
        """Every step's value of a kind: one array, or a list in which h[-1] or h[0] is h0."""
        coded = (name == "x" and "x" in self.naming.coded) or (
            name == "y" and "y" in self.naming.coded
        )
        steps = [self.value(f"{name}{t}") for t in range(1, self.steps + 1)]
        if coded:
            axis = 0 if self.columns or steps[0].ndim == 1 else -1
            classes = [step.argmax(axis) for step in steps]
            return [int(c) if np.size(c) == 1 else c for c in map(np.squeeze, classes)]
        if self.naming.times != "list":
            return self.value(name)
        before = [self.value(f"{name}0")] if name in ("h", "c") else []
        self.asked |= {"kept"} if before else set()
        found = before + steps if self.naming.kept == "first" else steps + before
        return np.stack(found) if steps[0].ndim == 1 else found

    def _of_step(self, low: str, t: int) -> Any:
        """What a function of one step reads: x_t, h_{t−1}, the gates."""
        name = self._value_named(low) or self._value_named(LEFT_OUT.sub("", low))
        return self.value(name_at(name, t)) if name and self._has(name, t) else None

    def _has(self, name: str, t: int = 1) -> bool:
        return Quantity("value", name_at(name, t)) in self.known

    def units_of(self, name: str) -> int:
        array = self.value(f"{name}1")
        return int(array.size if self.layout.one else array.shape[0 if self.columns else -1])

    # ---------------------------------------------------------------- names that are stored

    def kept_caches(self, stored: dict[str, Any]) -> dict[str, Any]:
        """The caches of all steps, which a forward function puts into a list or under each step."""
        lists = [v for p, v in stored.items() if "cache" in p and isinstance(v, list)]
        under: dict[str, list[Any]] = {}
        for path, value in stored.items():
            if found := re.fullmatch(r"(\w*cache\w*)\[\d+\]", path):
                under.setdefault(found[1], []).append(value)
        each = next((v for v in (*lists, *under.values()) if len(v) == self.steps), None)
        return {} if each is None else {"cache": each, "caches": each}

    def settle(self, stores: list[Store]) -> None:
        """dW = … in a round, which no line adds to anything, is meant to be the whole ∂J/∂W."""
        for number, store in enumerate(stores):
            goal = self.goal(store) if store.time is not None and not store.calls else None
            if goal is None or goal.kind != "share" or LEFT_OUT.search(store.path):
                continue
            if not any(number in later.reads for later in stores[number + 1 :]):
                store.place = Quantity("result", goal.of.split("∂J/∂")[-1])

    def contradicts(self, name: str, value: Any, time: int | None) -> bool:
        """Whether an argument is no derivative that its name may mean."""
        said = [q for q in self._meanings(name, time, None) if q.kind == "gradient"]
        if not said or not isinstance(value, np.ndarray) or not value.any():
            return False
        return not any(m.quantity in said and not m.turned for m in self.matches(value))

    def size_named(self, word: str) -> int | None:
        """D, H or hidden_size, where the line that counts them is not read."""
        return next(
            (self.units_of(n) for n, spelt in SIZES_OF.items() if word.lower() in spelt), None
        )

    def goal(self, store: Store) -> Quantity | None:
        """What a name says in its round: of several meanings the one that its value has."""
        if store.place is not None and store.place.kind == "result":
            return store.place
        found = self._meanings(store.path, store.time, store)
        if len(found) < 2:
            return found[0] if found else None
        said = [m for m in self.matches(store.value) if m.quantity in found and not m.turned]
        return said[0].quantity if said else found[0]

    def also_meant(self, store: Store) -> list[Quantity]:
        """∂J/∂z_o for ∂J/∂o, which do may be with its slope."""
        found = self._meanings(store.path, store.time, store)
        gates = [q for q in found if q.kind == "gradient" and q.of[:2] == "z_"]
        return gates if len(found) > len(gates) else []

    def goal_of(self, path: str) -> Quantity | None:
        found = self._meanings(path, self.time, None)
        return found[0] if found else None

    def _meanings(self, path: str, t: int | None, store: Store | None) -> list[Quantity]:
        keyed = re.fullmatch(r".*\['(\w+)'\]", path)
        word = (keyed[1] if keyed else path.split(".")[-1]).lower()
        indexed = re.fullmatch(r"(\w+)\[(-?\d+)\]", word)
        word = (indexed[1] if indexed else word).strip("_")
        added = store is not None and store.kind != "="
        product = store is not None and self._goes_back(store.statement)
        product |= store is not None and (store.path, store.line) in self.carried
        asked = word, t, added, product
        if asked not in self._meanings_of:
            found = [q for each in _spellings(word) for q in self._meant(each, t, added, product)]
            self._meanings_of[asked] = [q for q in dict.fromkeys(found) if q in self.known]
        found = self._meanings_of[asked]
        if store is None:
            return found
        if not isinstance(store.value, np.ndarray):
            return [q for q in found if q.of not in STACKS]
        if t is None and not store.value.any():  # what is carried on starts from zeros
            return [q for q in found if q.kind != "gradient"]
        axes = store.value.ndim
        found = [q for q in found if q.of not in STACKS or self.known[q].ndim == axes]
        if store.kind != MASKED:
            return found
        return [q for q in found if self.known[q].shape == store.value.shape]  # or it is a part

    def _meant(self, word: str, t: int | None, added: bool, back: bool) -> Iterable[Quantity]:
        """The quantities that a word may mean, the likely ones first.

        A line that is told to go `back` stores what the step before is handed, no total.
        """
        lead = ABOUT_TO.fullmatch(word)
        inner = lead[1].strip("_") if lead else word
        kind = "gradient" if lead else "value"
        if lead and (name := self._parameter(inner)):
            whole = Quantity("result", name)
            share = Quantity("share", f"the share of step {t} in ∂J/∂{name}")
            yield from (whole, share) if added or t is None else (share, whole)
            return
        if not lead and (name := self._parameter(word)):
            yield Quantity("value", name)
            return
        if t is None and "l" in self.naming.coded:
            t_last = self.steps
            for name, spelt in OUTPUTS.items():
                if inner in spelt and (not lead or name == "score"):
                    yield Quantity(kind, f"{name}{t_last}")
            if lead and self._named_so(inner) == "h'":
                yield Quantity("gradient", f"h{t_last}")
        if t is None:
            if lead and inner in NAMES["x"]:
                yield Quantity("result", "x")
            if lead and inner in words("h0 a0 s0 hprev h_prev prev_h h_init"):
                yield Quantity("gradient", "h0 through step 1")
            if lead and inner in words("c0 cprev c_prev prev_c"):
                yield Quantity("gradient", "c0 through step 1")
            return
        if lead and inner in NAMES["x"]:
            yield from (Quantity("gradient", f"x{t}"), Quantity("result", "x"))
            return
        own = self._named_so(inner)
        if lead and (of_gate := self._sum_named(inner)):
            yield Quantity(kind, name_at(of_gate, t))
            return
        before = own in ("h", "c")
        if own and lead and before:
            yield Quantity(kind, f"{own}{t - 1} through step {t}")
            yield Quantity(kind, f"{own}{t}")
            yield Quantity(kind, f"{own}{t} through step {t + 1}")
        elif own in ("h'", "c'") and lead:
            total = Quantity(kind, f"{own[0]}{t}")
            handed = Quantity(kind, f"{own[0]}{t - 1} through step {t}")
            yield from (handed, total) if back else (total, handed)
            if "next" in inner or "new" in inner:
                yield Quantity(kind, f"{own[0]}{t} through step {t + 1}")
        elif own and not (inner == "a" and "a" in self.naming.coded):
            yield Quantity(kind, name_at(own, t))
            if own in GATES:
                yield Quantity(kind, name_at(f"z_{own}", t))  # with its slope, as Ng's dit is
            if own == "h" and not lead:
                yield Quantity(kind, f"h{t}")
        if inner in ("a", "s", "hidden") and (inner != "a" or "a" in self.naming.coded):
            yield Quantity(kind, f"h{t}")
        for name, spelt in OUTPUTS.items():
            if inner in spelt and (not lead or name != "y"):
                yield Quantity(kind, f"{'score' if lead else name}{t}")
        if inner in ("h", "hs", "a", "x", "xs") and not lead:
            yield Quantity("value", "x" if inner[0] == "x" else "h")

    def _goes_back(self, statement: ast.stmt) -> bool:
        """Whether a line stores a product with U, as what goes to the step before is one."""
        if not is_product(statement):
            return False
        return any((self._parameter(word) or "")[:1] == "U" for word in words_of(statement))

    def _parameter(self, word: str) -> str | None:
        """W, U, b, V, by, or the rows of a gate."""
        if word not in self._parameters:
            self._parameters[word] = self._parameter_named(word)
        return self._parameters[word]

    def _parameter_named(self, word: str) -> str | None:
        if "u" in self.naming.coded and word in ("u", "w"):
            return {"u": "W", "w": "U"}[word]
        for name in ("W", "U", "V", "by", "b"):
            if word in NAMES[name]:
                return name
        if word == "c" and not self._has("c"):
            return "by"
        found = self._named_so(word)
        return found if found and found[:2] in ("W_", "U_", "b_") else None

    def helper(self, word: str, given: list[Any], options: dict[str, Any]) -> Any:
        function = function_of(word)
        if function is not None and function.op == "softmax" and len(given) == 1:
            return softmax(given[0], 0 if self.columns or np.ndim(given[0]) == 1 else -1)
        if function is None or function.op not in FORMULAS or len(given) != 1:
            raise NotReadError(f"what {word}() does")
        active, slope = FORMULAS[function.op]
        if function.kind == "activation":
            return active(given[0])
        known = {m.quantity.of for m in self.matches(given[0]) if abs(m.factor - 1) < 1e-6}
        own = re.compile(r"(?:[ifgoh]|tanh c)\d")
        return slope(given[0] if any(map(own.fullmatch, known)) else active(given[0]))


def _spellings(word: str) -> list[str]:
    """dWxt as it is, and without what says that it is of this step."""
    shorter = LEFT_OUT.sub("", word)
    plural = word[:-1] if re.fullmatch(r"d?(?:x|h|y|p|c|z|o|s)s", word) else word
    return list(dict.fromkeys((word, plural, shorter)))
