"""Every label, and the sentence that says what it means here.

In a sentence {what} is the object judged; {here} the one at which the mistake sits, such
as "the delta of z1 (layer 1)"; {factor} what is wrong or missing; {note} what stands
there instead; {by} a number.
"""

RIGHT = ("correct", "correct-other-layout", "correct-float32", "kink")

LABELS: dict[str, str] = {
    "correct": "{what} is right.",
    "correct-other-layout": "{what} is right, in another layout: {note}.",
    "correct-float32": "{what} is right to single precision.",
    "kink": "{what} is right: a rectifier is exactly at 0, where you take {note} for its slope. "
    "Any slope between the two sides' is a choice, not a mistake.",
    "transposed": "{what} is the transpose of the right array: rows and columns are exchanged.",
    "elementwise-for-contraction": "In {here} a product entry by entry stands for one that sums "
    "over an index: {note}.",
    "contraction-for-elementwise": "In {here} a sum stands for a product entry by entry: {note}. "
    "Each unit has its own slope; nothing is added up.",
    "mixed-layouts": "In {here} one factor is in one layout, the other in another: {note}.",
    "row-column-broadcast": "In {here} a column met a row, and numpy made a table: {note}.",
    "missing-slope": "In {here} the slope {factor} is left out: what comes back from the layer "
    "above has to go through it.",
    "missing-output-slope": "In {here} the slope of the output activation, {factor}, is left out: "
    "the derivative of the loss by the output has to go through it.",
    "extra-output-slope": "In {here} the slope of the output activation is multiplied once too "
    "often: {note}.",
    "constant-factor": "{what} is {by} times the right array, in every entry.",
    "missing-batch-mean": "{what} lacks the 1/m of the mean over the examples: "
    "it is {by} times the right array.",
    "batch-mean-twice": "{what} has the 1/m of the mean once too often: "
    "it is {by} times the right array.",
    "bias-not-summed": "{what} is not summed over the examples: {note} stands there, and all "
    "examples share the parameter, so their deltas add up.",
    "bias-wrong-axis": "{what} is summed along the wrong axis ({note}); "
    "the sum runs over the examples.",
    "reshape-order": "In {here} the numbers stand in the wrong places: {note}.",
    "softmax-as-elementwise": "In {here} softmax is taken for an elementwise function: p(1−p) is "
    "only the diagonal of its Jacobian, −p[k] p[k'] is missing.",
    "slope-at-activation": "In {here} the slope is taken at the activation: {note} stands for "
    "{factor}.",
    "slope-of-preactivation-formula": "In {here} the slope's formula in terms of a is fed with z: "
    "{note} stands for {factor}.",
    "wrong-layer-activation": "In {here} another layer's values are used: {note} stands for "
    "{factor}.",
    "wrong-layer-slope": "In {here} another layer's slope is used: {note} stands for {factor}.",
    "weight-not-transposed": "In {here} the weight {factor} is the wrong way round: forward the "
    "sum runs over its inputs, so backward it runs over its outputs.",
    "weight-missing": "In {here} the weight {factor} is left out: what comes back is {note}, where "
    "its sum with the weights belongs.",
    "wrong-contraction": "In {here} the sum runs over the wrong index: {note}.",
    "saturated-nan": "{what} is not a number because {note}: the textbook's formula divides 0 by "
    "0 there. Use the formula of loss and activation as one.",
    "preactivation-for-activation": "In {here} the pre-activation is used: {note} stands for the "
    "activation.",
    "sign": "{what} has the wrong sign in every entry.",
    "value-for-slope": "In {here} the value of a function stands for its slope: {note} for "
    "{factor}.",
    "stale-weights": "In {here} the weight {factor} is used after its update; the delta needs "
    "the one of the forward pass. The rate that fits is {by}.",
    "weight-decay": "{what} has the parameter itself added, times {by}; {note}.",
    "penalty-missing": "{what} lacks the derivative of the penalty: {note}, is left out. "
    "What is added to the cost adds its derivative to the gradient.",
    "penalty-factor": "{what} has the derivative of the penalty with another factor or sign: "
    "{note}.",
    "factor-beside-penalty": "{what} has the right derivative of the penalty, and what comes "
    "through the network has another factor or sign: {note}.",
    "flat-labels": "In {here} labels of another shape were broadcast against the outputs: {note}.",
    "examples-axis": "In {here} the axis of the examples is taken for another: {note}.",
    "check-of-wrong-quantity": "{what} has the right numbers of something else: {note}.",
    "fan-out-overwritten": "In {here} several paths add up, and only some are counted: {note}.",
    "statistics-as-constants": "In {here} mean and variance are taken for constants: {note}.",
    "overwritten-index": "In {here} rows with one index overwrite each other: {note} is kept, "
    "where all are added.",
    "last-step-only": "In {here} a parameter is used at several steps or in several examples, and "
    "one is counted: {note}. All of them add up: += where = stands.",
    "upstream-missing": "In {here} what comes back from the step after, {factor}, is left out: "
    "the chain rule multiplies {note} by it.",
    "factor-missing": "In {here} the factor {factor} is left out: it stands in {note}.",
    "factor-twice": "In {here} the factor {factor} stands twice, where once is right.",
    "extra-factor": "In {here} the factor {factor} is multiplied in, which {note} has not.",
    "axes-exchanged": "{what} has two axes exchanged: {note}.",
    "factor-flipped": "In {here} the places {factor} are taken in reverse order along {note}.",
    "other-places": "In {here} other places are read: {note} stands for {factor}.",
    "factor-turned": "In {here} the factor {factor} is the wrong way round: its axes {note} are "
    "exchanged.",
    "slope-at-delta": "In {here} the slope is taken at a delta: {note} stands for {factor}.",
    "gradient-for-weight": "In {here} the gradient of a weight stands for the weight: {note} for "
    "{factor}.",
    "wrong-weight": "In {here} another array stands in the place of the weight {factor}: {note}.",
    "wrong-delta": "In {here} another array stands in the place of what comes back, {factor}: "
    "{note}.",
    "wrong-factor": "In {here} another array stands in the place of the factor {factor}: {note}.",
    "term-missing": "In {here} a term of the Jacobian {factor} is left out: {note}.",
    "diagonal-only": "In {here} only the diagonal of the Jacobian {factor} is used: an entry reads "
    "other entries too.",
    "sign-of-a-term": "In {here} one term of the Jacobian {factor} has the wrong sign: {note}.",
    "summand-overwritten": "In {here} one summand overwrites another: {note} is kept, where all "
    "are added.",
    "unknown": "{what} is wrong, and no known mistake gives these numbers.",
}

# The sentence of a label that comes on top of another mistake of the same array.
BESIDES: dict[str, str] = {
    "sign": "Besides, every entry has the other sign.",
    "constant-factor": "Besides, the whole is multiplied by {by}, where nothing is to be.",
    "missing-batch-mean": "Besides, the 1/m of the mean over the examples is left out.",
    "batch-mean-twice": "Besides, the 1/m of the mean over the examples stands there once too "
    "often.",
    "examples-axis": "Besides, the mean is taken with another axis's length, not with the m "
    "examples.",
    "transposed": "Besides, rows and columns are exchanged.",
    "reshape-order": "Besides, the numbers are read in another order than they are written in.",
}
