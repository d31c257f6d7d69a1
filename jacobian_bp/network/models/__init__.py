"""Models from elsewhere: read as nodes by one importer each, made a program by one builder.

Offers Model, Node, build, read_torch.
May import network and below.
"""
