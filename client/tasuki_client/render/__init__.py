"""Answers of the controller as text for people: pure functions of messages, a clock's reading and a width."""
