"""Rankings from comparisons, and searches that pay for them."""
