"""Beside a run, in a process of its own: tells people of it, hears what they ask, and sees it die."""
