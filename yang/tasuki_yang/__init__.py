"""YANG: the modules, the schemas and typed models made of them, and the engines on RFC 7951 trees.

A tree is plain JSON data. `check` reads foreign data into a canonical tree, `edit` and `diff` change and
compare canonical trees, `validator` knows the models' constraints, and `path` names nodes.
"""
