"""Arrow to pandas, without a copy where the types allow it."""

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

_INT64 = pa.int64()


def frame_of(stream: bytes) -> pd.DataFrame:
    """The data frame of an Arrow stream. Its columns stay Arrow's: integers with gaps are integers."""
    with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
        table = reader.read_all()
    plain = [_plain(column) for column in table.columns]
    return pa.Table.from_arrays(plain, names=table.column_names).to_pandas(types_mapper=pd.ArrowDtype)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Sums of integers come as decimals of 38 digits, with which pandas does little: as an integer, else a float."""
    if not pa.types.is_decimal(column.type):
        return column
    if column.type.scale == 0:
        try:
            return pc.cast(column, _INT64)
        except pa.ArrowInvalid:
            pass  # over 64 bits
    return pc.cast(column, pa.float64())
