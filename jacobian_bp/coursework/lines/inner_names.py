"""What the formula of an op names inside, as courses call it: mu, var, x_hat, mask, keep_prob.

    dvar = np.sum(dxhat * (x - mu), axis=0) * -0.5 * (var + eps)**-1.5

A line that names such a value is read on the same run with that formula written out.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ...network.run import Run
from ...program.forward_pass import Pass
from ...program.staged import has_stages, names_inside, number_of, of_its_kind, staged
from ...program.step import Step
from .vocabulary import words

SPOKEN = {  # what an op's signature or its stages name -> what courses call it
    "gamma": words("gamma g scale"),
    "beta": words("beta shift"),
    "mu": words("mu mean mean_ sample_mean batch_mean x_mean mu_b mu_batch means"),
    "mean": words("mu mean running_mean moving_mean"),
    "var": words("var variance sample_var batch_var x_var var_b var_batch sigma2 running_var vars"),
    "std": words("std sqrtvar sqrt_var sample_std x_std stddev sigma sd"),
    "ivar": words("ivar inv_std istd rstd inv_var inv_sqrtvar invvar inv_sigma std_inv invstd"),
    "xmu": words("xmu x_mu x_centered xc centered x_minus_mean x_centred x_zero_mean"),
    "squared": words("sq squared carre xmu2"),
    "var_eps": words("var_eps vareps"),
    "x_hat": words(
        "x_hat xhat x_norm xnorm xn x_normalized x_normalised x_normed normalized normalised norm "
        "z_norm znorm z_hat zhat a_norm"
    ),
    "scaled": words("scaled gammax"),
    "ms": words("ms mean_square mean_sq"),
    "ms_eps": words("ms_eps"),
    "rms": words("rms"),
    "inv_rms": words("inv_rms irms rrms"),
    "exps": words("exps exp exp_z z_exp exp_scores exp_logits expz ez exp_x e e_z numerator"),
    "total": words(
        "total sum_exp exp_sum sum_exps denom denominator partition sum_exp_scores z_sum sumexp "
        "exp_total sum_e s"
    ),
    "shifted": words("shifted shifted_logits shift_scores shifted_scores stable"),
    "top": words("top max_z z_max max_score max_scores"),
    "kept": words("kept dropped"),
    "m": words("mask drop_mask dropout_mask masks"),
    "keep": words("keep keep_prob p_keep keep_rate retain retain_prob"),
    "eps": words("eps epsilon"),
    "raw": words("raw hraw h_raw pre preact"),
    "z": words("scores logits attn_scores attention_scores"),
    "s": words("scores logits attn_scores attention_scores"),
    "p": words("attn attention attn_weights attention_weights"),
    "P": words("attn attention attn_weights attention_weights"),
    "o": words("h_next h_new"),
    "K": words("k kernel kernels filter filters"),
    "E": words("e emb embedding embeddings"),
}
MASK = "D"  # Ng's D1 is the mask of layer 1
READ = {"x": words("x"), "y": words("out y z_tilde ztilde"), "p": words("p probs")}


@dataclass(frozen=True)
class Inside:
    """The names that a line may use of what stands inside formulas.

    `values` has the value that a word means, `numbers` the number: an eps, the share that is
    kept. `across` has for a value that goes along fewer axes than what its formula gives that
    result: a mean beside the array that it is the mean of. Of `own` words such as x and out, which
    mean the very input and value of an op whose formula is written out, `said` speaks.
    """

    values: Mapping[str, str]
    numbers: Mapping[str, float]
    across: Mapping[str, str]
    own: Mapping[str, str]
    said: str = ""

    def number(self, word: str, state: Pass) -> float | None:
        """The number that a word means: eps, keep_prob, or D, the entries along the last axis."""
        if word in ("D", "d_model", "features", "num_features") and self.own:
            value = state.values[self.own["x"]]
            return float(value.shape[-1]) if value.ndim else None
        return self.numbers.get(word.lower())

    def shares(self, state: Pass, order: str) -> dict[str, tuple[str, ...]]:
        """The two steps that read a value inside, "back" with the last of them first."""
        readers: dict[str, list[str]] = {}
        for step in state.program.steps:
            for arg in dict.fromkeys(step.args):
                if arg in (*self.across, *self.own.values()):
                    readers.setdefault(arg, []).append(step.name)
        turn = -1 if order == "back" else 1
        return {value: tuple(by[::turn]) for value, by in readers.items() if len(by) == 2}


def inside_of(state: Pass, written: Mapping[str, Mapping[str, str]]) -> Inside:
    """The names inside the formulas of a pass; `written` has those that are written out."""
    found: dict[str, set[str]] = {}
    numbers: dict[str, set[float]] = {}
    across: dict[str, str] = {}
    own: dict[str, str] = {}
    said = ""
    for step, called in _formulas(state, written):
        alone = len(of_its_kind(step, state.program.steps)) == 1
        number = number_of(step, state.program.steps)
        for inner, value in called.items():
            for word in SPOKEN.get(inner, ()):
                for form in (word, f"{word}{number}", f"{word}_{number}"):
                    found.setdefault(form, set()).add(value)
            if inner == "m" and inner not in state.values:
                found.setdefault(f"{MASK}{number}", set()).add(value)
        for inner in ("eps", "keep"):
            if isinstance(held := getattr(step.op, inner, None), float):
                for word in SPOKEN[inner]:
                    numbers.setdefault(word, set()).add(held)
        across |= dict.fromkeys(written.get(step.name, {}).values(), step.name)
        inside_it = step.name in written if written else _is_norm(step)
        if alone and inside_it and has_stages(step.op):
            read = step.args[0]
            own |= dict.fromkeys(READ["x"], read) | dict.fromkeys(READ["y"], step.name)
            said = (
                f"x is read as {read}, and out as {step.name}: what {step.op.name} reads and gives."
            )
    return Inside(
        {word: next(iter(values)) for word, values in found.items() if len(values) == 1},
        {word: next(iter(values)) for word, values in numbers.items() if len(values) == 1},
        across,
        own,
        said,
    )


def _is_norm(step: Step) -> bool:
    return "gamma" in step.called


def _formulas(
    state: Pass, written: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[Step, dict[str, str]]]:
    """Each step with a formula to name things in, and what these are called in the pass."""
    for step in state.program.steps:
        called = {**step.called, step.op.parsed.output.name: step.name}
        yield step, {**called, **written.get(step.name, {})}


def longer_passes(
    run: Run, unknown: Collection[str]
) -> Iterator[tuple[Run, Mapping[str, Mapping[str, str]]]]:
    """The same run with the formulas written out in which these words stand, in every way.

    Each comes with what the values inside are called in it.
    """
    state = run.forward_pass
    steps = [step for step in state.program.steps if has_stages(step.op)] if unknown else []
    asked = {form for word in unknown for form in _forms(word)}
    for way in range(max((len(names_inside(step)) for step in steps), default=0)):
        which = [step.name for step in steps if not asked.isdisjoint(_words(step, way))]
        if which:
            longer = staged(state, which, way)
            yield Run(longer.state, run._tied, run._title, run._convention), longer.inside


def _forms(word: str) -> Iterator[str]:
    """A word as it may stand in SPOKEN: without its bag, its derivative, its number."""
    plain = re.split(r"[.']", word.lower().rstrip("']"))[-1]
    for lead in ("", "grad_", "delta_", "dl_d", "dj_d", "dloss_d", "d_", "d"):
        if plain.startswith(lead):
            yield plain.removeprefix(lead)
            yield re.sub(r"_?\d+$", "", plain.removeprefix(lead))


def _words(step: Step, way: int) -> set[str]:
    """What courses call the values inside the formula of a step."""
    ways = names_inside(step)
    found = {word for inner in ways[min(way, len(ways) - 1)] for word in SPOKEN.get(inner, ())}
    return found | ({"x1", "x2"} if _is_norm(step) else set())  # the shares of dx
