"""Keeps a router as its intent says, and accounts for every difference.

    intent ─▶ want ─┐
                    ├─▶ compare ─▶ plan ─▶ apply (level by level) ─▶ observe again ─▶ settled
    kernel ─▶ observe ┘      └─▶ drift

`compare`, `plan`, `drift` and `status` are pure; `reconciler` is the loop that feeds them and carries out the
plan.
Nothing here knows a kind by name.
"""
