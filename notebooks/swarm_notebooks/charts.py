"""The kinds of pictures there are: amounts by day, ranks, quantiles by day, estimates, and the way to a limit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from swarm_notebooks.look import DASHES, HATCHES, INK, MARKERS, PALETTE, REST, shown
from swarm_notebooks.picture import Picture, Sheet, sheet
from swarm_notebooks.units import Unit

OTHERS = "others"
_MOST_BARS = 12
_DAYS_A_BAR = ((92, 1), (730, 7), (10**6, 30))
_BAR_HEIGHT = 0.3  # inches
Amounts = Mapping[str, Mapping[date, float]]


class Estimate(NamedTuple):
    """A value with the interval that it is likely in, from `n` samples."""

    low: float
    value: float
    high: float
    n: int


def stacked(name: str, amounts: Amounts, unit: Unit) -> Picture:
    """A bar for each day (each week or month, where there are many), of a part for each key. The last are gathered."""
    series = _gathered(amounts)
    span = _days_a_bar([day for by_day in series.values() for day in by_day])
    with sheet(name) as page:
        ax = page.axes[0]
        below: dict[date, float] = {}
        for at, (key, by_day) in enumerate(series.items()):
            bars = _binned(by_day, span)
            drawn = ax.bar(
                _x(bars),
                list(bars.values()),
                bottom=[below.get(day, 0) for day in bars],
                width=span * 0.82,
                align="center" if span == 1 else "edge",
                **_part_look(key, at),
            )
            for (day, value), bar in zip(bars.items(), drawn, strict=True):
                below[day] = below.get(day, 0) + value
                page.tell(bar, f"{_when(day, span)}\n{shown(key)}: {unit.text(value)}")
        _title(ax, name, unit.axis + {1: " a day", 7: " a week", 30: " in 30 days"}[span])
        _value_axis(ax, unit)
        _date_axis(ax)
        handles = [Patch(**_part_look(key, at)) for at, key in enumerate(series)]
        _legend(ax, handles, list(series))
        return page.picture()


def _part_look(key: str, at: int) -> dict[str, Any]:
    if key == OTHERS:
        return {"facecolor": REST, "edgecolor": INK, "alpha": 0.35}
    return {"facecolor": PALETTE[at], "edgecolor": INK, "hatch": HATCHES[at]}


def ranked(name: str, amounts: Sequence[tuple[str, float]], unit: Unit, part: Sequence[float] = ()) -> Picture:
    """A bar for each key, as they come. `part` of each bar is hatched."""
    rows = list(amounts[:_MOST_BARS])
    with sheet(name, _height(len(rows))) as page:
        ax = page.axes[0]
        drawn = ax.barh(range(len(rows)), [value for _, value in rows], color=PALETTE[0], edgecolor=INK, height=0.66)
        widest = max((value for _, value in rows), default=0)
        for at, ((key, value), bar) in enumerate(zip(rows, drawn, strict=True)):
            page.tell(bar, f"{shown(key, 200)}: {unit.text(value)}")
            ax.text(max(value, 0) + widest * 0.008, at, unit.text(value), va="center", fontsize=8)
        if part:
            hatched = ax.barh(
                range(len(rows)), part[: len(rows)], color=PALETTE[1], edgecolor=INK, hatch="///", height=0.66
            )
            for (key, _), value, bar in zip(rows, part, hatched, strict=False):
                page.tell(bar, f"{shown(key, 200)}, of these: {unit.text(value)}")
        _names(ax, [key for key, _ in rows])
        _title(ax, name, "")
        ax.set_xlabel(unit.axis)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: unit.short(value)))
        ax.xaxis.set_major_locator(MaxNLocator(6))
        ax.margins(x=0.1)
        ax.grid(axis="x")
        return page.picture()


def lines(name: str, series: Mapping[str, Mapping[date, float]], unit: Unit) -> Picture:
    """A line for each key, over days. Marks differ beside colours."""
    with sheet(name) as page:
        ax = page.axes[0]
        handles = []
        for at, (key, by_day) in enumerate(series.items()):
            style: dict[str, Any] = {"color": PALETTE[at], "linestyle": DASHES[at], "marker": MARKERS[at]}
            (line,) = ax.plot(_x(by_day), list(by_day.values()), **style)
            handles.append(line)
            for day, value in by_day.items():
                (spot,) = ax.plot(_x([day]), [value], marker="o", markersize=9, alpha=0.0, linestyle="")
                page.tell(spot, f"{_when(day, 1)}\n{shown(key)}: {unit.text(value)}")
        _title(ax, name, unit.axis)
        _value_axis(ax, unit)
        _date_axis(ax)
        ax.set_ylim(bottom=0)
        _legend(
            ax,
            [
                Line2D([], [], color=line.get_color(), linestyle=line.get_linestyle(), marker=line.get_marker())
                for line in handles
            ],
            list(series),
        )
        return page.picture()


class Measure(NamedTuple):
    name: str
    unit: Unit
    estimates: Mapping[str, Estimate]


def estimates(name: str, measures: Sequence[Measure]) -> Picture:
    """A column for each measure: for each key a dot, and a line as long as the value is uncertain."""
    keys = list(measures[0].estimates)[:_MOST_BARS]
    with sheet(name, _height(len(keys)) + 0.25, columns=len(measures)) as page:
        page.figure.suptitle(name, x=0.01, ha="left", fontsize=10, fontweight="bold")
        for ax, measure in zip(page.axes, measures, strict=True):
            _dots(page, ax, keys, measure)
        for ax in page.axes[1:]:
            ax.set_yticklabels([])
        return page.picture()


def _dots(page: Sheet, ax: Axes, keys: Sequence[str], measure: Measure) -> None:
    unit = measure.unit
    for at, key in enumerate(keys):
        found = measure.estimates.get(key)
        if found is None:
            continue
        style = PALETTE[at % 4]
        ax.plot([found.low, found.high], [at, at], color=style, linewidth=2.2, solid_capstyle="round")
        (dot,) = ax.plot(
            [found.value],
            [at],
            color=style,
            marker=MARKERS[at % 6],
            markersize=7,
            markeredgecolor=INK,
            markeredgewidth=0.5,
        )
        page.tell(
            dot,
            f"{shown(key, 200)}: {unit.text(found.value)}\n"
            f"95 %: {unit.text(found.low)} to {unit.text(found.high)}\nfrom {found.n:,} tasks",
        )
    _names(ax, keys)
    ax.set_xlabel(unit.axis if measure.name == unit.axis else f"{measure.name}, {unit.axis}")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: unit.short(value)))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.margins(x=0.12)
    ax.set_ylim(len(keys) - 0.4, -0.6)
    ax.grid(axis="x")


class Way(NamedTuple):
    """Money over time. `ahead`: low, middle and high of where it may go from the last point on."""

    points: Sequence[tuple[datetime, float]]
    ahead: Sequence[tuple[datetime, float, float, float]]
    limit: float


def towards(name: str, way: Way, unit: Unit) -> Picture:
    """What is spent so far, where it goes from here, and the limit."""
    with sheet(name, 2.9) as page:
        ax = page.axes[0]
        times, values = _x([at for at, _ in way.points]), [value for _, value in way.points]
        ax.step(times, values, where="post", color=PALETTE[0])
        ax.fill_between(times, values, step="post", color=PALETTE[0], alpha=0.15, linewidth=0)
        if way.ahead:
            ahead = _x([at for at, *_ in way.ahead])
            ax.fill_between(
                ahead,
                [low for _, low, _, _ in way.ahead],
                [high for *_, high in way.ahead],
                color=PALETTE[1],
                alpha=0.25,
                linewidth=0,
            )
            ax.plot(ahead, [middle for _, _, middle, _ in way.ahead], color=PALETTE[1], linestyle="--")
            end, low, middle, high = way.ahead[-1]
            (dot,) = ax.plot(_x([end]), [middle], marker="o", color=PALETTE[1])
            page.tell(
                dot,
                f"{end:%d %b %H:%M}: {unit.text(middle)}\n8 of 10 times between {unit.text(low)} and {unit.text(high)}",
            )
        if values:
            (now,) = ax.plot([times[-1]], [values[-1]], marker="o", color=PALETTE[0])
            page.tell(now, f"{times[-1]:%d %b %H:%M}: {unit.text(values[-1])} spent")
        ax.axhline(way.limit, color=INK, linestyle=":", linewidth=1.4)
        handles = [
            Line2D([], [], color=PALETTE[0]),
            Line2D([], [], color=PALETTE[1], linestyle="--"),
            Line2D([], [], color=INK, linestyle=":"),
        ]
        labels = ["spent", "as the last weeks went, 8 of 10 times in the band", f"limit {unit.text(way.limit)}"]
        _legend(ax, handles if way.ahead else handles[::2], labels if way.ahead else labels[::2], below=True)
        _title(ax, name, unit.axis)
        _value_axis(ax, unit)
        ax.set_ylim(bottom=0)
        _date_axis(ax, times[0].tzinfo if times else None)
        return page.picture()


def _gathered(amounts: Amounts) -> dict[str, Mapping[date, float]]:
    """The greatest first; those for which there is no colour as one."""
    order = sorted(amounts, key=lambda key: -sum(amounts[key].values()))
    first, rest = order[: len(PALETTE)], order[len(PALETTE) :]
    series: dict[str, Mapping[date, float]] = {key: amounts[key] for key in first}
    if rest:
        others: dict[date, float] = {}
        for key in rest:
            for day, value in amounts[key].items():
                others[day] = others.get(day, 0) + value
        series[OTHERS] = others
    return series


def _days_a_bar(days: Sequence[date]) -> int:
    length = (max(days) - min(days)).days if days else 0
    return next(span for most, span in _DAYS_A_BAR if length < most)


def _binned(by_day: Mapping[date, float], span: int) -> dict[date, float]:
    bars: dict[date, float] = {}
    for day, value in sorted(by_day.items()):
        # 1 of the proleptic calendar was a Monday, so weeks begin on Mondays.
        first = date.fromordinal((day.toordinal() - 1) // span * span + 1)
        bars[first] = bars.get(first, 0) + value
    return bars


def _when(day: date, span: int) -> str:
    first = f"{day:%a %d %b %Y}"
    return first if span == 1 else f"{first} to {day + timedelta(days=span - 1):%a %d %b %Y}"


def _title(ax: Axes, name: str, axis: str) -> None:
    ax.set_title(name)
    ax.set_ylabel(axis)


def _value_axis(ax: Axes, unit: Unit) -> None:
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit.short(value)))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.grid(axis="y")


def _date_axis(ax: Axes, zone: tzinfo | None = None) -> None:
    ax.xaxis_date(zone)
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]


def _names(ax: Axes, keys: Sequence[str]) -> None:
    ax.set_yticks(range(len(keys)), [shown(key) for key in keys])
    ax.set_ylim(len(keys) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _legend(ax: Axes, handles: Sequence[Artist], labels: Sequence[str], below: bool = False) -> None:
    """Beside the plot, or below it. matplotlib leaves out what begins with `_`, so the texts are put in afterwards."""
    place = (
        {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncols": 3}
        if below
        else {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    )
    legend = ax.legend(handles, ["x"] * len(labels), **place)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(shown(label, 60 if below else 26))


def _x(times: Iterable[date]) -> Any:
    """matplotlib takes dates; its annotations do not say so."""
    return list(times)


def _height(bars: int) -> float:
    return 0.95 + _BAR_HEIGHT * max(bars, 2)
