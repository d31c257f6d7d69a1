"""Code out: a step and its gradients as a plain NumPy file, from the text of the ops themselves.

Offers source_of.
May import routes and below.
"""
