"""Which pictures a model starts from is said in the catalog, and checked against what came."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from safelight.catalog.inputs import InputRule, Role, role_errors

RULES: TypeAdapter[dict[Role, InputRule]] = TypeAdapter(dict[Role, InputRule])


def rules(**given: Any) -> dict[Role, InputRule]:
    return RULES.validate_python(given)


def test_a_word_or_a_table_says_what_a_role_needs() -> None:
    found = rules(image="required", mask={"need": "optional", "most": 4})
    assert (found["image"].need, found["image"].most) == ("required", 1)
    assert (found["mask"].need, found["mask"].most) == ("optional", 4)


@pytest.mark.parametrize(
    "wrong", [{"picture": "required"}, {"image": "perhaps"}, {"image": {"need": "optional", "most": 0}}]
)
def test_other_words_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rules(**wrong)


def test_inputs_that_fit_are_fine() -> None:
    assert role_errors(rules(image={"need": "required", "most": 2}, mask="optional"), ["image", "mask", "image"]) == {}
    assert role_errors({}, []) == {}


def test_a_role_that_a_model_does_not_take_is_named_with_those_it_takes() -> None:
    errors = role_errors(rules(image="optional"), ["image", "mask"])
    assert errors == {"inputs[1].role": ["'mask' is none that this model takes; it takes: image"]}
    assert "no inputs" in role_errors({}, ["image"])["inputs[0].role"][0]


def test_a_missing_role_and_too_many_of_one_are_errors() -> None:
    errors = role_errors(rules(image="required", mask="required"), ["mask", "mask"])
    assert errors == {
        "inputs": ["this model needs one of role 'image'", "this model takes at most 1 of role 'mask', got 2"]
    }
