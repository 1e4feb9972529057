"""The leader commits: plans, what they are worth, and whether threats would be carried out."""
