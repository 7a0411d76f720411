"""What every model of the contract shares: camelCase on the wire, exact times, no unknown fields."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from swarm_api.words import camel


class Model(BaseModel):
    """A frozen value of the contract. Unknown fields are an error that names them."""

    model_config = ConfigDict(
        alias_generator=camel, populate_by_name=True, extra="forbid", frozen=True, allow_inf_nan=False
    )

    def to_json(self) -> bytes:
        return self.__pydantic_serializer__.to_json(self, by_alias=True)


class Answer(Model):
    """What the hub answers. Unknown fields are ignored, so that old clients get on with newer hubs."""

    model_config = ConfigDict(extra="ignore")


def rfc3339(moment: datetime) -> str:
    """UTC to the second with a `Z`: Swift's `.iso8601` strategy rejects fractional seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
Text = Annotated[str, AfterValidator(_no_nul)]
Cents = Annotated[int, Field(ge=0, le=10**9)]  # a limit somebody sets: ten million dollars at most


CENT = 10_000  # micro-dollars


def cents(micro_usd: int) -> int:
    """Whole cents of whole micro-dollars, rounded half up."""
    return (micro_usd + CENT // 2) // CENT


def dollars(micro_usd: int) -> str:
    """`$1,234.56`, rounded down: what is left is never said to be more. Below zero is nothing."""
    whole, rest = divmod(max(0, micro_usd) // CENT, 100)
    return f"${whole:,}.{rest:02}"
