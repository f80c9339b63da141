"""Which pictures a model starts from: by role, whether it needs one, and how many it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["image", "mask", "first_frame", "last_frame"]
ROLES: tuple[str, ...] = get_args(Role)


class InputRule(BaseModel):
    """Of one role. In TOML `image = "required"`, or `image = { need = "optional", most = 4 }`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    need: Literal["required", "optional"]
    most: int = Field(default=1, ge=1, le=100, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _a_word_is_enough(cls, data: Any) -> Any:
        return {"need": data} if isinstance(data, str) else data


def role_errors(rules: Mapping[Role, InputRule], roles: Sequence[str]) -> dict[str, list[str]]:
    """What is wrong with the roles of the inputs of a request, by path (`inputs[1].role`); empty when all is well."""
    takes = ", ".join(rules) or "no inputs"
    errors = {
        f"inputs[{i}].role": [f"{role!r} is none that this model takes; it takes: {takes}"]
        for i, role in enumerate(roles)
        if role not in rules
    }
    wrong = [text for role, rule in rules.items() for text in _count_errors(role, rule, roles.count(role))]
    if wrong:
        errors["inputs"] = wrong
    return errors


def _count_errors(role: str, rule: InputRule, count: int) -> list[str]:
    if count == 0 and rule.need == "required":
        return [f"this model needs one of role {role!r}"]
    return [f"this model takes at most {rule.most} of role {role!r}, got {count}"] if count > rule.most else []
