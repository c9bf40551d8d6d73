"""TableKind: the kind of dataframe that came in, and tables of that kind for what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

if TYPE_CHECKING:
    from .panel import Panel

#: What columns hold that may be empty, so that tables of several fits can be put together.
_TYPES: dict[str, Any] = {"wave": nw.Int64, "group": nw.String, "predictor": nw.String}


@dataclass(frozen=True, slots=True)
class TableKind:
    """The kind of dataframe that came in. backend : its library. lazy : what to go back to, if it was lazy."""

    backend: nw.Implementation
    lazy: nw.Implementation | None

    @classmethod
    def of(cls, panel: Panel) -> TableKind:
        return cls(panel._frame.implementation, panel._parts.lazy)

    def table(self, columns: dict[str, Any]) -> Any:
        """A dataframe of that kind."""
        native = nw.from_dict(columns, backend=self.backend)  # type: ignore[arg-type]
        empty = [name for name in _TYPES if name in columns and all(x is None for x in columns[name])]
        if empty and not self.backend.is_pandas_like():
            native = native.with_columns(native[name].cast(_TYPES[name]) for name in empty)
        return native.to_native() if self.lazy is None else native.lazy(backend=self.lazy).to_native()  # type: ignore[arg-type]
