"""What OpenAI's clients ask of texts, in our words: messages become one prompt and the pictures beside it.

A text here is one answer to one prompt: what a system says stands before what the user says. What this cannot mean
(earlier answers, tools, several choices) is refused rather than left out.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from safelight.api.bodies import refuse
from safelight.api.input_bodies import Body
from safelight.services.inputs import InputRef
from safelight.services.prepare import JobRequest

RENAMED: Final = {"max_completion_tokens": "max_tokens"}
NOT_HERE: Final = {
    "tools": "tools are not called here",
    "functions": "functions are not called here",
    "stop": "a text cannot be stopped at words here; use max_tokens",
    "logprobs": "probabilities are not told here",
}
"""Fields that other servers know, and what to say of them. A false one asks for nothing."""
DATA: Final = "data:"


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    model_config = ConfigDict(extra="ignore", strict=True)

    include_usage: bool = False


class TextPart(Body):
    type: Literal["text"]
    text: str


class Address(Body):
    url: str = Field(description="http or https, or a data URI.")
    detail: str | None = None


class PicturePart(Body):
    type: Literal["image_url"]
    image_url: Address


Part = Annotated[TextPart | PicturePart, Field(discriminator="type")]


class Message(Body):
    """What somebody says."""

    role: Literal["system", "developer", "user"]
    content: str | list[Part]
    name: str | None = Field(None, description="Not looked at.")

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n\n".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def pictures(self) -> list[str]:
        parts = () if isinstance(self.content, str) else self.content
        return [part.image_url.url for part in parts if isinstance(part, PicturePart)]


class ChatAsked(BaseModel):
    """A field that is not named here is a parameter of the model: `temperature`, `seed`. A null is nothing."""

    model_config = ConfigDict(extra="allow", strict=True)

    messages: list[Message] = Field(min_length=1, max_length=200)
    model: str | None = Field(None, max_length=200, description="Default: the server's.")
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = Field(None, max_length=256, description="Becomes the label `user`.")

    @property
    def tells_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def as_request(self) -> JobRequest:
        """Raises InvalidParams for what a text cannot be asked for."""
        given = {name: value for name, value in (self.model_extra or {}).items() if value is not None}
        refuse({name: why for name, why in NOT_HERE.items() if given.get(name)})
        params: dict[str, Any] = {RENAMED.get(n, n): value for n, value in given.items() if n not in NOT_HERE}
        if len(params) < sum(name not in NOT_HERE for name in given):
            refuse({"max_completion_tokens": "stands beside max_tokens; give one of them"})
        return JobRequest(
            kind="text",
            prompt=self.prompt,
            model=self.model,
            params=params,
            inputs=tuple(_picture(url) for message in self.messages for url in message.pictures),
            labels={"user": self.user} if self.user else {},
        )

    @property
    def prompt(self) -> str:
        """What the system says, then what the user says."""
        ordered = sorted(self.messages, key=lambda message: message.role == "user")
        return "\n\n".join(message.text for message in ordered if message.text)


def _picture(url: str) -> InputRef:
    return InputRef("image", "data_uri" if url.startswith(DATA) else "url", url)
