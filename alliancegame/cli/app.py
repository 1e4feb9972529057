"""The program: its commands, its exit codes, and the one place where errors become messages."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from alliancegame._version import __version__
from alliancegame.cli import (
    cooperation,
    dynamics,
    equilibria,
    leader,
    leaving,
    matrix,
    models,
    output,
    pressure,
    reports,
    robustness,
    sweep,
    sweeps,
    verifying,
)
from alliancegame.cli.codes import Exit
from alliancegame.cli.wording import typed
from alliancegame.errors import AllianceGameError, ConvergenceError, ZeroTrustError

HELP = """Who pays, who leads, and what pressure buys in a military alliance.

\b
Begin with
  alliancegame models                       the models that are shipped
  alliancegame report nato-2024             everything about one, in one page
  alliancegame compare nato-2024            does pressure pay?
  alliancegame new mymodel                  a model of your own

MODEL is the name of a shipped model, or the path of a model file (.toml). Burdens and demands are
shares of GDP: 2 % is 0.02 or 2%. Money is in billions of US dollars (bn US$) a year. Results go to
the standard output, as tables or with --json as JSON; everything else goes to the standard error.
Where a command fails, the standard output stays empty, with --json as well, and the standard error
has the reason as text.

\b
Exit codes
  0    done; every equilibrium shown is certified
  1    bad input: a model, value or file that cannot be used; the message says why
  2    usage: an unknown command or option, or one that is not well-formed
  3    solved, but not certified ("approximate" or "unverified")
  4    no solution: no convergence, or no trust left
  5    verify: a claim of a saved result is refused
  6    verify: nothing is refused, but a claim cannot be checked
  70   an error of the program itself: please report it
  130  interrupted (Ctrl-C)
  141  the reader of the output went away (as in: alliancegame show nato-2024 | head)
"""


class Once(TyperCommand):
    """A command whose options are given once, unless their help says that they may be repeated."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As TyperCommand.parse_args, but the last of several values does not win silently."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in {id(p): p for p in order}.values():
            valued = parameter.param_type_name == "option" and not parameter.is_flag  # type: ignore[attr-defined]
            count = sum(p is parameter for p in order)
            if valued and not parameter.multiple and count > 1:
                hint = f"--{str(parameter.name).replace('_', '-')}"
                raise typer.BadParameter(f"given {count} times: give it once.", param_hint=hint)
        return list(super().parse_args(ctx, args))


class Program(TyperGroup):
    """The group of all commands: whatever they raise leaves here as a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command, which returns its exit code (None is 0)."""
        with _messages():
            code = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        raise typer.Exit(int(code or Exit.DONE))

    def main(self, *args: Any, **options: Any) -> Any:
        """As TyperGroup.main; whatever it still raises is no fault of the user."""
        try:
            return super().main(*args, **options)
        except OSError as error:  # while printing help or a usage error
            sys.exit(_system_error(error))
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            output.error(
                f"this is a mistake in alliancegame {__version__}, not in your input: please report it "
                "to the project, with your command and the lines above"
            )
            sys.exit(Exit.INTERNAL)


@contextmanager
def _messages() -> Iterator[None]:
    """Turn errors of ours and of the system into one message and an exit code."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    except (ConvergenceError, ZeroTrustError) as error:
        output.error(typed(str(error)))
        raise typer.Exit(Exit.NO_SOLUTION) from error
    except AllianceGameError as error:
        output.error(typed(str(error)))
        raise typer.Exit(Exit.BAD_INPUT) from error
    except KeyboardInterrupt as error:
        output.error("interrupted")
        raise typer.Exit(Exit.INTERRUPTED) from error
    except OSError as error:
        raise typer.Exit(_system_error(error)) from error


def _system_error(error: OSError) -> int:
    """Say what the system refused, and drop what can no longer be written."""
    output.drop_pending()
    if isinstance(error, BrokenPipeError):
        return Exit.PIPE
    where = f"{error.filename}: " if error.filename is not None else ""
    output.error(f"{where}{error.strerror or error}")
    return Exit.BAD_INPUT


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Our warnings in words; those of other libraries with their place, for a bug report."""
    if category.__module__.startswith("alliancegame"):
        output.note(f"warning: {message}")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


app = typer.Typer(
    cls=Program,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        output.write(f"alliancegame {__version__}\n")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


for command in (
    models.models,
    models.show,
    models.new,
    equilibria.solve,
    equilibria.equilibria,
    pressure.stackelberg,
    pressure.compare,
    pressure.threshold,
    robustness.robustness,
    leader.sensitivities,
    dynamics.path,
    equilibria.certify,
    verifying.verify,
    matrix.matrix,
    cooperation.optimum,
    cooperation.shares,
    leaving.alignment,
    reports.report,
    models.latex,
    sweeps.uncertainty,
    sweep.sweep,
):
    app.command(cls=Once)(command)
app.command("map", cls=Once)(sweeps.map_)
