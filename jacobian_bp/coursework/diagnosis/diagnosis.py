"""What a diagnosis says: one finding an object, in the order of the backward pass."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...document.blocks import Document, Section, Words
from ...document.report import Report
from ...writing.notebook import bullets
from ...writing.signs import plural, to_ascii
from ...writing.tables import wrapped
from .label_sentences import RIGHT

WIDTH = 95  # of a printed line

Key = str | tuple[str, str]


@dataclass(frozen=True)
class Finding:
    """One object judged.

    `labels` has every label whose mistake gives these numbers, most likely first;
    `where` is the object at which the mistake sits; `follows` says that it is right
    given an earlier mistake.
    """

    key: Key
    label: str
    labels: tuple[str, ...]
    sentences: tuple[str, ...]
    where: str = ""
    factor: float | None = None
    follows: bool = False
    layout: str = ""
    proved: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the object counts as right, also where it follows from a wrong one."""
        return self.label in RIGHT or self.follows

    @property
    def remark(self) -> str:
        """The sentences in one line."""
        return " ".join(self.sentences)

    def lines(self) -> list[str]:
        """The object's name and what is said about it."""
        first, *others = self.said()
        return [f"{name_of(self.key)}: {first}", *others]

    def said(self) -> list[str]:
        """What is said about the object, and what proves it."""
        return [*self.sentences, *self.proved]

    def __repr__(self) -> str:
        return f"<Finding on {name_of(self.key)}: {self.label}{', follows' * self.follows}>"

    def _repr_html_(self) -> str:
        return bullets([" ".join(self.lines())])


@dataclass(frozen=True)
class Diagnosis(Report, Mapping[Key, Finding]):
    """The findings by key, in the order of the backward pass; printing it says them."""

    findings: Mapping[Key, Finding]

    def __getitem__(self, key: Key) -> Finding:
        return self.findings[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def first_wrong(self) -> Key | None:
        """The first wrong object in the order of the backward pass, or None."""
        wrong = (k for k, f in self.findings.items() if not f.ok and not f.follows)
        return next(wrong, None)

    @property
    def ok(self) -> bool:
        """Whether every object counts as right in itself."""
        return all(finding.ok and not finding.follows for finding in self.findings.values())

    def text(self, ascii_only: bool = False) -> str:
        lines = []
        for finding in self.findings.values():
            for position, sentence in enumerate(finding.lines()):
                lines += wrapped(sentence, WIDTH, first="  " if position else "", rest="  ")
        return to_ascii("\n".join(lines)) if ascii_only else "\n".join(lines)

    printed = text

    def document(self, names: Iterable[str] = ()) -> Document:
        """What is found first, then a section for each object."""
        sections = [Section("", "Result", (Words(self._found),))]
        sections += [
            Section("", name_of(key), tuple(map(Words, finding.said())))
            for key, finding in self.findings.items()
        ]
        known = {part for key in self for part in ((key,) if isinstance(key, str) else key)}
        return Document(self._of, tuple(sections), frozenset({*known, *names}))

    @property
    def _of(self) -> str:
        return f"Diagnosis of {plural(len(self), 'object')}"

    @property
    def _found(self) -> str:
        wrong = self.first_wrong
        return (
            "all right" if wrong is None else f"first wrong {name_of(wrong)}, {self[wrong].label}"
        )

    def __repr__(self) -> str:
        return f"<{self._of}: {self._found}>"

    def _repr_html_(self) -> str:
        return bullets([" ".join(finding.lines()) for finding in self.findings.values()])


def together(parts: Sequence[Finding]) -> Finding:
    """One finding of an array with several objects in it, such as W with its bias as a column."""
    wrong = [finding for finding in parts if not finding.ok or finding.follows] or parts[:1]
    first = next((finding for finding in wrong if not finding.ok), wrong[0])
    wrong = [first] if first.ok else wrong
    return replace(
        first,
        labels=tuple(dict.fromkeys(label for f in (first, *wrong) for label in f.labels)),
        sentences=tuple(s for f in wrong for s in f.sentences),
        proved=tuple(s for f in wrong for s in f.proved),
    )


def name_of(key: Key) -> str:
    """W2, or ∂z2/∂W2 for a Jacobian."""
    return key if isinstance(key, str) else f"∂{key[0]}/∂{key[1]}"
