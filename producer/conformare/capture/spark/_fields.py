"""Where the fields inside a column are from, by what was written for it.

`F.upper("a")` has none, `F.coalesce("a", "b")` has those of `a`; `F.struct("a")`, a user's function
and whatever else is not listed here may have others, so that Spark must be asked.
"""

from __future__ import annotations

import ast
import re
from enum import IntEnum

from conformare.capture.source._normalise import FRAME_TOKEN

# Their results have no fields, whatever they are given.
_SCALAR = frozenset(
    """
    abs acos add_months approx_count_distinct ascii asin atan atan2 avg base64 bin bround cbrt ceil
    ceiling char_length character_length concat_ws conv corr cos count countDistinct
    count_distinct crc32 cume_dist current_date current_timestamp current_user date_add date_diff
    date_format date_sub date_trunc datediff day dayofmonth dayofweek dayofyear degrees dense_rank
    exp floor format_number format_string from_unixtime from_utc_timestamp grouping hash hex hour
    initcap input_file_name instr isnan isnotnull isnull kurtosis last_day length levenshtein like lit
    ln locate log log10 log2 lower lpad ltrim make_date md5 mean median minute mod
    monotonically_increasing_id month months_between nanvl next_day now ntile octet_length
    percent_rank percentile_approx pmod pow power quarter radians rand randn rank regexp_count
    regexp_extract regexp_instr regexp_replace regexp_substr repeat replace rint round
    row_number rpad rtrim second sha sha1 sha2 sign signum sin size skewness soundex
    spark_partition_id split sqrt startswith stddev stddev_pop stddev_samp substr substring
    substring_index sum sumDistinct sum_distinct tan tanh to_char to_date to_number to_timestamp
    to_utc_timestamp translate trim trunc unbase64 unhex unix_date unix_timestamp upper uuid var_pop
    var_samp variance weekday weekofyear xxhash64 year
    """.split()  # noqa: SIM905 - a list of names reads better as words
)
# Their results have the fields of what they are given.
_PASSING_ON = frozenset(
    """
    any_value array coalesce col collect_list collect_set column concat element_at explode
    explode_outer first greatest ifnull lag last lead least max max_by min min_by nullif nvl
    reverse sort_array when
    """.split()  # noqa: SIM905 - a list of names reads better as words
)
_SCALAR_METHODS = frozenset(
    """
    between bitwiseAND bitwiseOR bitwiseXOR contains endswith eqNullSafe ilike isNaN isNotNull isNull
    isin like rlike startswith substr
    """.split()  # noqa: SIM905 - a list of names reads better as words
)
# Their arguments say nothing about fields: names, windows, positions.
_METHODS_OF_ONE = frozenset(("alias", "name", "over", "getField", "getItem", "dropFields"))
_METHODS_OF_SEVERAL = frozenset(("when", "otherwise"))
_CASTS = frozenset(("cast", "astype", "try_cast"))
_SCALAR_TYPE = re.compile(r"\w+(?:\(\d+(?:,\s*\d+)?\))?")
_SCALAR_TYPES = frozenset(
    f"{name}Type"
    for name in """
    Binary Boolean Byte Date Decimal Double Float Integer Long Short String Timestamp TimestampNTZ
    """.split()  # noqa: SIM905 - a list of names reads better as words
)


class Inside(IntEnum):
    """Where the fields inside a column are from; the worst of several counts for all."""

    NOTHING = 0
    """There are none, or it is a column of the frame under its own name."""
    MOVED = 1
    """They are those of columns of the frame."""
    NEW = 2
    """Only Spark knows."""


def fields_inside(node: ast.expr) -> Inside:
    """Return where the fields inside a column are from.

    Args:
        node: What was written for the column.
    """
    if isinstance(node, (ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare)):
        return Inside.NOTHING  # sums, comparisons and literals have no fields
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        value = node.value
        if isinstance(value, ast.Name):
            return Inside.MOVED if value.id == FRAME_TOKEN else Inside.NEW
        return fields_inside(value)
    return _inside_call(node) if isinstance(node, ast.Call) else Inside.NEW


def _inside_call(call: ast.Call) -> Inside:
    arguments = (*call.args, *(keyword.value for keyword in call.keywords))
    called = call.func
    # `F.when(…).when(…)` is a method of a column, `F.when` a function.
    if isinstance(called, ast.Attribute) and not isinstance(called.value, ast.Name):
        return _inside_method(called.value, called.attr, arguments)
    function = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if function in _SCALAR:
        return Inside.NOTHING
    if function in _PASSING_ON:
        return max((Inside.MOVED, *map(fields_inside, arguments)))
    return Inside.NEW


def _inside_method(column: ast.expr, method: str, arguments: tuple[ast.expr, ...]) -> Inside:
    if method in _SCALAR_METHODS:
        return Inside.NOTHING
    if method in _CASTS:
        scalar = len(arguments) == 1 and _is_scalar_type(arguments[0])
        return Inside.NOTHING if scalar else Inside.NEW
    inside = fields_inside(column)
    if method in _METHODS_OF_SEVERAL:
        return max((inside, *map(fields_inside, arguments)))
    return inside if method in _METHODS_OF_ONE else Inside.NEW


def _is_scalar_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _SCALAR_TYPE.fullmatch(node.value) is not None
    called = node.func if isinstance(node, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) in _SCALAR_TYPES
