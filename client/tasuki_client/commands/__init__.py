"""What each command does: ask the controller, and print what `render` makes of the answer."""
