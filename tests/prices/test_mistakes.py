"""A mistake in a price table stops it with one line: where it is, what was there and what is allowed."""

from pathlib import Path

import pytest

from prices.own import HEAD, written
from swarm_hub.prices import BadPrices, Prices

MODEL = '[[model]]\nid = "claude-opus-9"\nfamily = "opus"\nfrom = 2026-12-01\ninput = 4\noutput = 20\n'

SCHEMA = "1, the schema that this version reads"
DAY = "a day, written 2026-01-31 without quotes"
PRICE = "a number from 0.0001 to 10000 with at most 4 decimals"
PRICE_OR_NOTHING = "a number from 0 to 10000 with at most 4 decimals"
SURCHARGE = "a number from 1 to 100 with at most 3 decimals"
ID = "the id of a model in the table"
FIELDS = "id, family, from, input, output, cache_read, cache_write_5m, cache_write_1h, fast, regional, long_context"

IN_THE_HEAD: list[tuple[str, str, str, str]] = [
    ("schema = 1", "schema = 2", "schema is 2", SCHEMA),
    ("schema = 1", "schema = true", "schema is True", SCHEMA),
    ("schema = 1", "", "schema is missing", SCHEMA),
    ("2026-12-01", '"2026-12-01"', "date is '2026-12-01'", DAY),
    ("2026-12-01", "2026-12-01T00:00:00Z", "date is 2026-12-01 00:00:00+00:00", DAY),
    ("our contract", " ", "source is ' '", "some text"),
]

IN_A_PART: list[tuple[str, str, str]] = [
    ("model = 3", "model is 3", "a list of tables"),
    ("model = [3]", "model 1 is 3", "a table of fields"),
    ("cache = 0.1", "cache is 0.1", "a table of fields"),
    ("[cache]\nread = 0", "cache: read is 0", "a number from 0.01 to 100 with at most 2 decimals"),
    ('[cache]\n"a\\nb" = 2', r"cache: 'a\nb' is not a field", "read, write_5m, write_1h"),
    ('[machines."a\\nb"]\nlight = -1', r"machines: 'a\nb': light is -1", PRICE_OR_NOTHING),
    ("[cache]\nwrite = 2", "cache: write is not a field", "read, write_5m, write_1h"),
    ("[service_tiers]\nx = 0", "service_tiers: x is 0", "a number from 0.001 to 100 with at most 3 decimals"),
    ("[server_tools]\nx = -1", "server_tools: x is -1", PRICE_OR_NOTHING),
    ('[aliases]\nx = "claude-opus-8"', "aliases: x is 'claude-opus-8'", ID),
    ("[aliases]\nx = 4", "aliases: x is 4", ID),
    ('[aliases]\nx = "claude-opus-5"\nX = "claude-opus-4"', "aliases: 'X' is not one name", "a name, in one spelling"),
    ('[aliases]\nlatest = "claude-opus-5"', "aliases: 'latest' is not one name", "a name, in one spelling"),
    ("[machines]\nfly = 3", "machines: fly is 3", "a table of fields"),
    ("[machines.fly]\nhuge = 3", "machines: fly: huge is not a field", "light, standard, heavy"),
    ("[machines.fly]\nlight = true", "machines: fly: light is True", PRICE_OR_NOTHING),
]

IN_A_MODEL: list[tuple[str, str, str, str]] = [
    ('"opus"', '"Opus 4"', "family is 'Opus 4'", "a word of a-z that is part of the names of its models, such as opus"),
    ("from = 2026-12-01", "", "from is missing", DAY),
    ("input = 4", "", "input is missing", PRICE),
    ("output = 20", "output = -20", "output is -20", PRICE),
    ("output = 20", "output = 0", "output is 0", PRICE),
    ("output = 20", 'output = "20"', "output is '20'", PRICE),
    ("output = 20", "output = 0.00001", "output is 0.00001", PRICE),
    ("output = 20", "output = 20.00001", "output is 20.00001", PRICE),
    ("output = 20", f"output = 20.{'0' * 40}1", f"output is 20.{'0' * 40}1", PRICE),
    ("output = 20", "output = 1e-999999999", "output is 1E-999999999", PRICE),
    ("output = 20", "output = 10000.01", "output is 10000.01", PRICE),
    ("output = 20", "output = inf", "output is Infinity", PRICE),
    ("output = 20", "output = nan", "output is NaN", PRICE),
    ("output = 20", "output = 20\ncache_read = 0", "cache_read is 0", PRICE),
    ("output = 20", "output = 20\nfast = 0.5", "fast is 0.5", SURCHARGE),
    ("output = 20", "output = 20\nregional = 1.0001", "regional is 1.0001", SURCHARGE),
]

LONG_CONTEXT: list[tuple[str, str, str]] = [
    (
        "{ above = 1.5, input = 1, output = 1 }",
        "long_context 1: above is 1.5",
        "a whole number of tokens from 1 to 1000000000",
    ),
    ("{ above = 9, output = 1 }", "long_context 1: input is missing", PRICE),
    ("{ above = 9, input = 1, output = 1, from = 2026-01-01 }", "long_context 1: from is not a field",
     "above, input, output, cache_read, cache_write_5m, cache_write_1h"),
    ("{ above = 9, input = 1, output = 1 }, { above = 9, input = 2, output = 2 }", "long_context 2: above is 9",
     "more than 9"),
]  # fmt: skip

NO_TOML: list[tuple[str, str]] = [
    ("schema = \n", "is not TOML: Invalid value (at line 1, column 10)"),
    ("schema = 1\nschema = 1\n", "is not TOML: Cannot overwrite a value (at line 2, column 11)"),
    ("a = 1e999999999999999999999\n", "has a number or a nesting beyond all bounds"),
    ("a = " + "[" * 5_000, "has a number or a nesting beyond all bounds"),
]


def refusal(path: Path) -> str:
    with pytest.raises(BadPrices) as refused:
        Prices.load(path)
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("right", "wrong", "was", "allowed"), IN_THE_HEAD)
def test_a_mistake_in_the_head_is_told(tmp_path: Path, right: str, wrong: str, was: str, allowed: str) -> None:
    path = written(tmp_path, HEAD.replace(right, wrong))
    assert refusal(path) == f"{path}: {was}; allowed: {allowed}"


@pytest.mark.parametrize(("text", "was", "allowed"), IN_A_PART)
def test_a_mistake_in_a_part_is_told_with_the_part(tmp_path: Path, text: str, was: str, allowed: str) -> None:
    path = written(tmp_path, HEAD + text)
    assert refusal(path) == f"{path}: {was}; allowed: {allowed}"


@pytest.mark.parametrize(("right", "wrong", "was", "allowed"), IN_A_MODEL)
def test_a_mistake_in_a_model_is_told_with_the_model(
    tmp_path: Path, right: str, wrong: str, was: str, allowed: str
) -> None:
    path = written(tmp_path, HEAD + MODEL.replace(right, wrong))
    assert refusal(path) == f"{path}: model 1, claude-opus-9: {was}; allowed: {allowed}"


@pytest.mark.parametrize(("bands", "was", "allowed"), LONG_CONTEXT)
def test_a_mistake_in_long_context_is_told_with_the_band(tmp_path: Path, bands: str, was: str, allowed: str) -> None:
    path = written(tmp_path, HEAD + MODEL + f"long_context = [{bands}]\n")
    assert refusal(path) == f"{path}: model 1, claude-opus-9: {was}; allowed: {allowed}"


@pytest.mark.parametrize(
    ("line", "was"), [("", "missing"), ('id = "claude"', "'claude'"), ("id = 9", "9"), ('id = "o\\n5"', r"'o\n5'")]
)
def test_a_model_without_a_name_is_told_by_its_number(tmp_path: Path, line: str, was: str) -> None:
    path = written(tmp_path, HEAD + MODEL + MODEL.replace('id = "claude-opus-9"', line))
    assert refusal(path) == f"{path}: model 2: id is {was}; allowed: the name of a model"


def test_a_field_that_there_is_not_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + MODEL.replace("input", "inptu"))
    assert refusal(path) == f"{path}: model 1: inptu is not a field; allowed: {FIELDS}"


def test_a_part_that_there_is_not_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "models = []\n")
    assert refusal(path).startswith(f"{path}: models is not a field; allowed: schema, date, source, cache, ")


@pytest.mark.parametrize("name", ["claude-opus-9", "claude-9-opus", "anthropic/claude-opus-9-20261201"])
def test_a_model_has_one_entry_for_a_day_however_it_is_spelt(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, HEAD + MODEL + MODEL.replace("claude-opus-9", name))
    allowed = "a day without an entry of this model"
    assert refusal(path) == f"{path}: model 2, {name}: from is 2026-12-01; allowed: {allowed}"


def test_a_model_stays_in_its_family(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + MODEL + MODEL.replace("12-01", "12-02").replace('"opus"', '"sonnet"'))
    assert refusal(path) == f"{path}: model 2, claude-opus-9: family is 'sonnet'; allowed: 'opus', as before"


@pytest.mark.parametrize(("text", "told"), NO_TOML)
def test_a_file_that_is_no_toml_is_told_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    assert refusal(path) == f"{path} {told}; allowed: a price table"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xff\xfe")
    assert refusal(path).startswith(f"{path} is not TOML: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone.toml"
    assert refusal(path) == f"{path} cannot be read: No such file or directory; allowed: a price table"


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + MODEL.replace('"opus"', f'"{"O" * 1_000}"'))
    assert len(refusal(path)) < len(str(path)) + 200
