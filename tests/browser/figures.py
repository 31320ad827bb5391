"""What was measured, beside what it may be."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Figures:
    """A table for the end of the run. A test notes all that it measures, and checks it then."""

    rows: list[tuple[str, float, float | None, str]] = field(default_factory=list)
    exceeded: list[str] = field(default_factory=list)

    def note(self, what: str, value: float, *, most: float, unit: str = "") -> None:
        """Keep a figure, and that it is more than *most* if so."""
        self.rows.append((what, value, most, unit))
        if value > most:
            self.exceeded.append(f"{what}: {value:g} {unit}, at most {most:g}")

    def tell(self, what: str, value: float, *, unit: str = "") -> None:
        """Keep a figure that has no limit, because it depends on the machine and what else it does."""
        self.rows.append((what, value, None, unit))

    def check(self, of: object = "") -> None:
        """Fail if a figure since the last time was too large.

        :param of: what was counted, for the one who has to mend it.
        """
        exceeded, self.exceeded = self.exceeded, []
        assert not exceeded, f"{exceeded} {of}"

    def lines(self) -> list[str]:
        return [
            f"{what:<44} {value:>10,.4g} {unit:<5}" + (f" (at most {most:,g})" if most else "")
            for what, value, most, unit in self.rows
        ]
