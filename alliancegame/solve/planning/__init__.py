"""One planner for some members or for all: convex programs where they are, bounded searches elsewhere."""
