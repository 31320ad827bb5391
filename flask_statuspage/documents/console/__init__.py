"""The pages of the console: one module for each area, all in the same room (:mod:`.room`)."""
