"""Code out: a step and its gradients as a plain NumPy file, from the text of the ops themselves.

Offers written_out, step_class.
May import routes and below.
"""
