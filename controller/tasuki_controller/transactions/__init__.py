"""Who may change running, and when a change goes back: sessions, locks, candidate, confirmed commit.

Pure: each operation takes the state and, where it matters, the time, and gives the state after it or raises
`Failed`. `tasuki_controller.datastores` holds the state, waits for the disk and the routers, and keeps time.

    state       what there is: `Transactions` and its parts
    sessions    open, keep, close, expire
    locks       lock and unlock; who else writes while something is locked
    candidate   edit and discard
    commits     may it be committed, confirmed or cancelled, and what is true afterwards; what must revert now
    refusal     how each of them fails
"""
