"""A table in a document, between two comments, that is made from what it tells of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


@dataclass(frozen=True)
class DocumentTable:
    """A table in a document of `docs/`.

    Args:
        name: Path of the document below `docs/`.
        mark: What the two comments name the table.
        table: Makes it, as Markdown.
    """

    name: str
    mark: str
    table: Callable[[], str]

    @property
    def document(self) -> str:
        """The text of the document."""
        return self._file.read_text(encoding="utf-8")

    def written(self, document: str) -> str:
        """Return the text of the document with the table as it is now."""
        begin, end = f"<!-- {self.mark}: begin -->", f"<!-- {self.mark}: end -->"
        before, _, rest = document.partition(begin)
        _, _, after = rest.partition(end)
        return f"{before}{begin}\n{self.table()}\n{end}{after}"

    def write(self) -> None:
        """Write the table anew."""
        self._file.write_text(self.written(self.document), encoding="utf-8")

    @property
    def _file(self) -> Path:
        return DOCS / self.name
