"""The rooms behind `sweep`: what it goes over, how chunks are solved, where answers are kept."""
