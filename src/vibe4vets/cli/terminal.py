"""What the command line writes: results to standard output, everything else beside it."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

out = Console()
_err = Console(stderr=True)


def tell_error(message: str) -> None:
    """Write one line to standard error, whatever its length."""
    _err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)


def progress_bars() -> Progress:
    """Bars that show how many of how many are done, and for how long."""
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_err)
