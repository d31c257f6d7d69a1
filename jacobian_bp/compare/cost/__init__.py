"""What a gradient costs on every route, counted from shapes alone: multiplications and bytes.

Offers cost_card, RouteCost, affordable, enlarged.
May import network and below.
"""
