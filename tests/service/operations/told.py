"""The values of `/metrics`, by Prometheus's names and labels."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from tests.caller import Client


@dataclass
class Told:
    """Values by name and labels; `told("greenroom_comments", status="pending")`."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples[name, frozenset(labels.items())]

    @property
    def names(self) -> dict[str, set[str]]:
        """The label names of each."""
        found: dict[str, set[str]] = {}
        for name, labels in self.samples:
            found.setdefault(name, set()).update(label for label, _ in labels)
        return found


def told_by(client: Client) -> Told:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    samples = (sample for family in families for sample in family.samples)
    return Told(
        {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    )
