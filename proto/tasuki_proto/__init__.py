"""The protocol that agents, the controller and clients speak."""
