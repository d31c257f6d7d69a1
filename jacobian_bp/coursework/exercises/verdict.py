"""What is said about one answer."""

from dataclasses import dataclass

LEVELS = ("pass or fail", "where", "symptom", "cause")
RIGHT, FOLLOWS, WRONG, MISSING = "right", "follows", "wrong", "missing"
TRANSPOSED, OTHER_LAYOUT = "transposed", "other-layout"  # tags of right numbers, laid out wrongly


@dataclass(frozen=True)
class Verdict:
    """One answer judged: its status, and for each message level the words for it.

    `where` is level 1, `symptom` level 2, `cause` level 3; no level holds a right
    number. `follows` is a wrong answer that is right given the student's own earlier
    one. `layout` names one that is not the usual one, `tag` the mistake for statistics.
    """

    name: str
    status: str
    layout: str = ""
    remark: str = ""
    where: str = ""
    symptom: str = ""
    cause: str = ""
    tag: str = ""

    @property
    def ok(self) -> bool:
        """Right itself; an answer that follows from a wrong one is credited, not right."""
        return self.status == RIGHT

    @property
    def credited(self) -> bool:
        """Right, or right given an earlier answer of the student's own."""
        return self.status in (RIGHT, FOLLOWS)

    def words(self, level: int) -> list[str]:
        """What to say beside the status, at a message level from 0 to 3."""
        if self.status == RIGHT:
            said = [f"in layout {self.layout}" if self.layout else "", self.remark]
            return [word for word in said if word] if level > 0 else []
        levels = [(1, self.where), (1, self.remark), (2, self.symptom), (3, self.cause)]
        return [word for least, word in levels if word and level >= least]
