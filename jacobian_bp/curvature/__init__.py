"""Second derivatives: a Hessian as the Jacobian of a gradient, whole, by blocks, or times a vector.

Offers Hessian, hessian, StackedHessian, Cut, cut_of, hessian_vector.
May import routes and below.
"""
