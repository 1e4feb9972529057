"""Figures refuse what they are not drawn from, by name and with a remedy."""

import inspect

import pytest

import alliancegame as ag
from alliancegame import figures
from alliancegame.errors import InvalidValueError
from alliancegame.figures import inputs

DRAWN = [name for name in figures.__all__ if hasattr(getattr(figures, name), "__wrapped__")]


def given(name, first):
    """Arguments for a figure of which only the first matters."""
    needed = [
        p for p in inspect.signature(getattr(figures, name)).parameters.values()
        if p.default is p.empty
    ]  # fmt: skip
    return [first, *({} for _ in needed[1:])]


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("wrong", [5, None, "plan", ag.Plan(), {"A": 5}], ids=str)
def test_another_kind_of_result(name, wrong):
    with pytest.raises(InvalidValueError, match=f"{name} is drawn from .* such as ") as caught:
        getattr(figures, name)(*given(name, wrong))
    assert "ag." in str(caught.value) or "alliancegame." in str(caught.value)


def test_nearly_every_figure_is_drawn_from_a_result():
    assert set(figures.__all__) - set(DRAWN) == {"exposure"}  # Of two columns of numbers.


def test_by_keyword_and_by_subclass():
    class Base:
        pass

    class Derived(Base):
        pass

    @inputs.drawn_from("Base", "base()")
    def draw(found):
        return found

    made = Derived()
    assert draw(found=made) is made
    with pytest.raises(InvalidValueError, match="draw is drawn from a result such as base"):
        draw(found=5)
