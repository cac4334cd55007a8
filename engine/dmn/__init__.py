"""DMN 1.5: reading decision models and evaluating them. `engine.decisions` is the door."""
