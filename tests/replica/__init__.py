"""A primary with a replica that follows it: what it answers, and what happens when it cannot."""
