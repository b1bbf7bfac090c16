"""The parser of Spark's dialect of SQL, and what it does not know."""

from __future__ import annotations

import logging
from typing import Any

from conformare.capture._quiet import quiet

# Delta's and Spark's own statements are those of Databricks.
DIALECT = "databricks"


def is_installed() -> bool:
    """Whether the parser is there: it belongs to the extra `connect`."""
    try:
        import sqlglot  # noqa: F401 - only whether it is there matters
    except ImportError:
        return False
    return True


def parsed(text: str) -> tuple[Any, dict[str, str]]:
    """Return the tree of a statement, None where the parser does not understand it.

    Args:
        text: The statement.

    Returns:
        The tree, and what was said by words that the parser does not know.
    """
    from sqlglot import Dialect

    dialect = Dialect.get_or_raise(DIALECT)
    try:
        with quiet(logging.getLogger("sqlglot")):
            tokens, said = _understandable(dialect.tokenize(text))
            (tree,) = filter(None, dialect.parser().parse(tokens, text))
    except Exception:  # noqa: BLE001 - of another's parser anything may come, with the text in it
        return None, {}
    return tree, said


_BEFORE_A_QUERY = frozenset(
    ("", "(", ")", "AS", "UNION", "EXCEPT", "INTERSECT", "MINUS", "ALL", "DISTINCT")
)


def _understandable(tokens: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """Return tokens that the parser understands, and what was said by those that are left out."""
    from sqlglot import Token, TokenType

    words = ["" if token.token_type == TokenType.STRING else token.text.upper() for token in tokens]
    kept, said, skip = [], {}, 0
    for place, token in enumerate(tokens):
        before, after = words[place - 1] if place else "", words[place + 1 : place + 2]
        if skip:
            skip -= 1
        elif words[place : place + 3] == ["WITH", "SCHEMA", "EVOLUTION"]:
            skip = 2
        elif words[place] == "TABLE" and before in _BEFORE_A_QUERY and after not in (["("], []):
            kept.append(Token(TokenType.FROM, "FROM"))
        elif words[place] == "USING" and words[max(place - 2, 0) : place - 1] == ["DIRECTORY"]:
            said["format"] = after[0].lower() if after else ""
            skip = 1 + _options(words[place + 2 :])
        else:
            kept.append(token)
    if words[:1] == ["REPLACE"]:
        kept[:0] = [Token(TokenType.CREATE, "CREATE"), Token(TokenType.OR, "OR")]
    if words[:2] == ["RESTORE", "TABLE"]:
        said["operation"] = "restore"
        end = words.index("TO") if "TO" in words else len(words)
        kept = [Token(TokenType.TRUNCATE, "TRUNCATE"), *kept[1:end]]
    return kept, said


def _options(words: list[str]) -> int:
    """Return how many words are options in parentheses."""
    return words.index(")") + 1 if words[:1] == ["OPTIONS"] and ")" in words else 0
