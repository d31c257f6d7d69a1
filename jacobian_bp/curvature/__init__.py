"""Second derivatives: a Hessian as the Jacobian of a gradient, its rows and parts, and H v.

Offers Hessian, hessian, StackedHessian, Cut, cut_of, hessian_vector.
May import routes and below.
"""
