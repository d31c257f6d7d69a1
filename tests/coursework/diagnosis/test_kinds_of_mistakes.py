"""Each further kind of mistake is named, by a sentence that says what was done."""

import mistakes_of_kinds as cases
import pytest

from jacobian_bp.coursework.diagnosis import diagnose

SENTENCES = {
    "slopes: Φ alone": "In the delta of z a term of the Jacobian ∂a/∂z is left out: z[n,k] "
    "φ(z)[n,k].",
    "slopes: φ alone": "In the delta of z another array stands in the place of the factor "
    "gelu'(z): φ(z).",
    "slopes: Φ + φ": "In the delta of z the factor z is left out: it stands in ∂a/∂z.",
    "slopes: Φ − z φ": "In the delta of z one term of the Jacobian ∂a/∂z has the wrong sign: "
    "z[n,k] φ(z)[n,k].",
    "slopes: the form by tanh": "In the delta of z another array stands in the place of the "
    "factor gelu'(z): that of the form of GELU by tanh.",
    "slopes: the quick form": "In the delta of z another array stands in the place of the factor"
    " gelu'(z): that of z σ(1.702 z), the quick form of GELU.",
    "slopes: σ + z (1 − σ)": "In the delta of z the factor σ(z) is left out: it stands in one "
    "term of ∂a/∂z.",
    "slopes: a left of 0": "In the delta of z another array stands in the place of the factor "
    "elu'(z): a left of 0.",
    "slopes: sides exchanged": "In the delta of z another array stands in the place of the "
    "factor elu'(z): the same with its two sides exchanged.",
    "slopes: e^z": "In the delta of z the factor 1/(1 + e^z) is left out: it stands in ∂a/∂z.",
    "losses: smoothed labels": "In the delta of z another array stands in the place of the "
    "factor (softmax(z) − y): that with labels of which 0.1 is spread over all classes.",
    "losses: a temperature": "In the delta of z another array stands in the place of the factor "
    "(softmax(z) − y): that with softmax(z/2).",
    "losses: σ for softmax": "In the delta of z another array stands in the place of the factor "
    "(softmax(z) − y): that with σ(z) for softmax(z).",
    "losses: other classes alone": "In the delta of z another array stands in the place of the "
    "factor (softmax(z) − y): its entries at the other classes alone.",
    "losses: weights at y alone": "In the delta of z another array stands in the place of the "
    "factor (softmax(z) Σwy − w y): that with the weights at y alone.",
    "losses: 0 beyond the ends": "In the delta of a another array stands in the place of the "
    "factor clip(a − t, ±1): 0 beyond ±δ.",
    "losses: ends at 1/2": "In the delta of a another array stands in the place of the factor "
    "clip(a − t, ±1): that with δ = 0.5.",
    "losses: true class forgotten": "In the delta of z another array stands in the place of the "
    "factor (s − y Σ s): that without an entry at the true class.",
    "losses: −1 at the true class": "In the delta of z another array stands in the place of the "
    "factor (s − y Σ s): that with −1 at the true class.",
    "orders: reversed": "In the gradient of R the numbers stand in the wrong places: they are in"
    " reverse order along t.",
    "orders: moved on": "In the gradient of R the numbers stand in the wrong places: along t "
    "each stands one place on, and the one at the end is the first.",
    "orders: times R": "In the gradient of R the factor R is multiplied in, which ∂h/∂R has not.",
    "orders: every second entry": "In the delta of b other places are read: δ[o,2j'+1] stands "
    "for δ[o,j'+4].",
    "orders: parts added": "In the delta of a other places are read: δ[o,i'] + δ[o,i'+4] stands "
    "for δ[o,i'].",
    "orders: in a ring": "In the delta of x other places are read: the difference of neighbours "
    "in a ring, the first behind the last, [i'=o] − [i'=o−1], stands for [i'≤o].",
    "orders: down the examples": "In the delta of x other places are read: a sum over what is "
    "not before along the examples stands for [i'≤o].",
    "orders: gates moved on": "In the gradient of W the numbers stand in the wrong places: the "
    "rows of the gates stand in the order f, g, o, i, not i, f, g, o.",
    "orders: reshaped": "In the delta of x the numbers stand in the wrong places: they are written "
    "row by row as they come in, where axes are exchanged.",
    "choices: by size": "In the delta of x other places are read: the choice that is made of |x|"
    " stands for δ[r,a[n,c,o]].",
    "choices: of the whole row": "In the delta of x other places are read: [x is the largest "
    "along i] stands for δ[r,a[n,c,o]].",
    "choices: the last token": "In the delta of x other places are read: the last place, "
    "whatever stands there, stands for δ[t',a[n,k]].",
    "choices: along the entries": "In the delta of x other places are read: [x is the largest "
    "along k] stands for δ[t',a[n,k]].",
    "choices: one token of a mean": "In the delta of x other places are read: the last place "
    "along t alone stands for 1[t'].",
    "groups: a group for each channel": "In the delta of x another array stands in the place of "
    "the factor ∂y/∂x: that with a group for each channel.",
    "groups: dealt out like cards": "In the delta of x another array stands in the place of the "
    "factor ∂y/∂x: that of groups to which channels are dealt out in turn, like cards.",
    "groups: by the length": "In the gradient of gain another array stands in the place of the "
    "factor u: the sum of the squares stands for their mean.",
    "groups: by the length throughout": "In the delta of x another array stands in the place of "
    "the factor r: the sum of the squares stands for their mean.",
    "groups: neither is there": "In the gradient of K other places are read: δ[i,o+r'] stands "
    "for δ[i,2o+2r'].",
    "shares: a plain mean": "In the delta of S the number 1/4 stands in the place of the factor P.",
    "shares: scores for shares": "In the delta of S another array stands in the place of the "
    "factor P: S.",
    "shares: shares of the queries": "In the delta of V another array stands in the place of the"
    " factor P: that of softmax over t.",
    "shares: Wk and Wv exchanged": "In the delta of c another array stands in the place of what "
    "comes back, ∂J/∂V and ∂J/∂K: ∂J/∂K and ∂J/∂V, each on the path of the other.",
    "shares: the residual twice": "In the delta of z several paths add up, and one is counted "
    "too often: the path through r twice.",
    "shares: p without the sum": "In the delta of z what comes back from the step after, ∂J/∂l, "
    "is left out: the chain rule multiplies one term of ∂l/∂z by it.",
    "shares: 1 − m": "In the delta of e another array stands in the place of the factor m: 1 − m.",
    "shares: a padding row": "In the gradient of E the factor [v≠0] is multiplied in, which "
    "∂e/∂E has not.",
    "matrices: −1/X²": "In the delta of X another array stands in the place of the factor ∂Y/∂X:"
    " −1/X², entry by entry.",
    "matrices: the left inverse alone": "In the delta of X the factor X⁻¹ is left out: it stands"
    " in ∂Y/∂X.",
    "matrices: X for its inverse": "In the delta of X another array stands in the place of the "
    "factor X⁻¹: Xᵀ.",
    "matrices: 1/X": "In the delta of X another array stands in the place of the factor ∂c/∂X: "
    "1/X, entry by entry.",
    "matrices: as the determinant": "In the delta of X another array stands in the place of the "
    "factor ∂c/∂X: that of the determinant itself.",
    "by_classes: every class of the batch": "In the delta of z another array stands in the "
    "place of the factor (softmax(z) − y): that with 1 in every example at "
    "each class that occurs in one.",
    "by_classes: every class": "In the delta of z another array stands in the place of the "
    "factor (softmax(z) − y): that with 1 for every label.",
    "by_classes: rows by classes": "In the delta of z another array stands in the place of "
    "the factor (softmax(z) − y): that with 1 in the rows that have the "
    "number of a class that occurs.",
    "by_classes: times p": "In the delta of z another array stands in the place of the factor "
    "(softmax(z) − y): the same times softmax(z).",
    "by_classes: the loss": "In the delta of z another array stands in the place of the factor "
    "(softmax(z) − y): the terms of the loss itself, −y log softmax(z).",
    "by_classes: tanh by its value": "In the delta of z another array stands in the place "
    "of the factor σ'(z): 1 − a² with a = s, which is the slope of a = "
    "tanh(z).",
    "by_classes: e + 1": "In the delta of z another array stands in the place of the factor "
    "elu'(z): e + 1 left of 0.",
    "by_classes: alpha alone": "In the delta of z another array stands in the place of the "
    "factor elu'(z): alpha left of 0.",
    "by_classes: as many places as examples": "The delta of x is 2 times the right array, "
    "in every entry.",
    "by_classes: divided twice": "The delta of x is 1/2 times the right array, in every entry.",
}


@pytest.mark.parametrize("scene", cases.SCENES, ids=lambda scene: scene.__name__)
def test_each_kind_is_named_by_what_was_done(scene):
    for plant in cases.plants(scenes=(scene,)):
        found = diagnose(plant.run, plant.arrays)
        assert found.first_wrong == plant.key, plant.name
        assert found[plant.key].label in plant.labels, plant.name
        assert found[plant.key].sentences[0] == SENTENCES[plant.name]


@pytest.mark.full
@pytest.mark.parametrize("seed", [5, 123])
def test_on_other_numbers_too(seed):
    for plant in cases.plants(seed):
        assert diagnose(plant.run, plant.arrays)[plant.key].label in plant.labels, plant.name


def test_every_mistake_has_its_sentence():
    assert SENTENCES.keys() == {plant.name for plant in cases.plants()}


@pytest.mark.parametrize("scene", cases.SCENES, ids=lambda scene: scene.__name__)
def test_the_right_arrays_are_right(scene):
    for plant in cases.plants(scenes=(scene,)):
        right = plant.run.vjp("J", plant.key, 1.0)
        assert diagnose(plant.run, plant.arrays | {plant.key: right}).ok, plant.name
