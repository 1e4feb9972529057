"""The leader's further options, and the command sensitivities."""

from __future__ import annotations

import json
from typing import Any

import alliancegame as ag


def test_sensitivities(run: Any) -> None:
    found = run("sensitivities", "three-allies", "gdp", "threat[Large]", "--threat", "0.5")
    assert "threat[Large]" in found.stdout
    assert "gdp[Frontier]" in found.stdout
    data = json.loads(run("sensitivities", "three-allies", "decay", "--json").stdout)
    assert data["kind"] == "sensitivities"
    assert data["keys"][0] == "decay"
    latex = run("sensitivities", "three-allies", "gdp", "--latex").stdout
    assert latex.startswith("\\begin{longtable}")


def test_sensitivities_to_a_tariff(run: Any) -> None:
    options = ("--tariff", "20%", "--demand", "4%", "--set", "trade_exposure=0.05", "--json")
    data = json.loads(run("sensitivities", "three-allies", "tariff", "deadweight", *options).stdout)
    assert data["keys"] == ["tariff", *(f"tariff[{ally}]" for ally in ("Large", "Middle", "Frontier")),
                            "deadweight"]  # fmt: skip
    assert data["values"][0] == 0.2


def test_targeted_and_national_interest(run: Any) -> None:
    text = run(
        "stackelberg", "three-allies", "--commit", "threat", "--burden", "0.034", "--targeted"
    )
    assert "nothing bounds" in " ".join(text.stdout.split())
    data = json.loads(
        run("stackelberg", "three-allies", "--objective", "national_interest", "--json").stdout
    )
    assert data["objective"] == "national_interest"
    assert ag.solve_stackelberg(
        ag.load_model("three-allies"), objective="national_interest"
    ).interest.weight == data["interest"]["weight"]  # fmt: skip


def test_credible(run: Any) -> None:
    arguments = (
        "stackelberg",
        "three-allies",
        "--commit",
        "threat",
        "--burden",
        "0.034",
        "--credible",
    )
    quiet = " ".join(run(*arguments).stdout.split())
    assert "no threat is credible" in quiet
    shown = run(*arguments, "--set", "execution_saving=0.05").stdout
    assert "carried out" in shown


def test_credible_with_further_options(run: Any) -> None:
    """By ally, for national interest, and with a burden that the leader plays with the allies."""
    arguments = ("stackelberg", "three-allies", "--commit", "threat", "--credible")
    saving = ("--set", "execution_saving=0.05")
    text = run(*arguments, *saving, "--objective", "national_interest").stdout
    assert "of national interest against commitment" in " ".join(text.split())
    data = json.loads(run(*arguments, *saving, "--burden", "0.034", "--targeted", "--json").stdout)
    assert data["kind"] == "credible"
    assert set(data["plan"]["threat"]) == {"Large", "Middle", "Frontier"}
    assert data["targets"]["starts"] > 1
