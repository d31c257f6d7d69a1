"""The same mistake in a network whose values are called something else."""

from dataclasses import replace

from equation_cases import Plant

from jacobian_bp.network.run import Run
from jacobian_bp.program.forward import run_forward
from jacobian_bp.program.program import Program


def under_other_names(plant, mark="q"):
    """Every value, parameter and input with a mark in front of its name; the cost keeps its own."""
    state = plant.run.forward_pass
    program, cost = state.program, state.cost

    def new(name):
        return name if name == cost else mark + name

    steps = [
        replace(
            step,
            name=new(step.name),
            args=tuple(map(new, step.args)),
            fused_args=tuple(map(new, step.fused_args)),
            taken=frozenset(map(new, step.taken)),
        )
        for step in program.steps
    ]
    longer = Program.build(steps, tuple(map(new, program.params)))
    params = {new(name): state.values[name] for name in program.params}
    data = {new(name): state.values[name] for name in program.inputs if name in state.values}
    axes = {name: ",".join(state.names[name]) for name in program.inputs if name in state.values}
    said = {new(name): text for name, text in axes.items() if text and name not in program.labels}
    run = Run(run_forward(longer, params, data, said))
    arrays = {new(key): array for key, array in plant.arrays.items()}
    return Plant(plant.name, run, arrays, new(plant.key), plant.labels)
