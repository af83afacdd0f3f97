"""The agent: reconciles one router with its intent, and reports every drift."""
