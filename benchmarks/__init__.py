"""What the library costs, measured (`speed`). Not part of the wheel."""
