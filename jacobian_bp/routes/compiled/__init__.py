"""A cost and its gradients as one straight-line step: buffers planned once, ufuncs in place.

Offers CompiledStep.
May import routes and below.
"""
