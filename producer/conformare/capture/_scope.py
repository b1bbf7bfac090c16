"""Which blocks are open where the code runs: per thread, task of a pool and task of asyncio."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, TypeVar, cast

from conformare.capture._inherited import inherited

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declared:
    """One risk as declared in one place."""

    risk_id: str
    label: str
    category: str
    severity: str
    note: str | None = None
    mitigation: str | None = None
    owner: str | None = None


@dataclass(eq=False)
class Group:
    """One instance of `describe()`: what the steps inside it have in common."""

    label: str
    purpose: str = ""
    definition_owner: str | None = None
    details: str | None = None


Contexts = dict[tuple[object, ...], Group]


@dataclass(frozen=True)
class Scope:
    """The open blocks, outermost first, and what they amount to for a step.

    Attributes:
        blocks: The blocks.
        groups: Their groups.
        risks: Their risks.
        contexts: Inside a function that Spark calls over and over: the groups of its blocks, so
            that a block which says the same again is the same group again.
    """

    blocks: tuple[Block, ...] = ()
    groups: tuple[Group, ...] = ()
    risks: tuple[Declared, ...] = ()
    contexts: Contexts | None = None


_NOTHING_OPEN = Scope()
_scope = inherited("conformare_scope", _NOTHING_OPEN)


def current_scope() -> Scope:
    """Return the blocks that are open here."""
    return _scope.get()


def close_all() -> None:
    """Forget every block that is open here."""
    _scope.set(_NOTHING_OPEN)


@contextmanager
def repeated(scope: Scope, contexts: Contexts) -> Iterator[None]:
    """Run a function that Spark calls over and over inside the blocks of where it was handed over.

    Args:
        scope: The blocks that were open there.
        contexts: The groups of the blocks inside the function, kept from call to call.
    """
    token = _scope.set(replace(scope, contexts=contexts))
    try:
        yield
    finally:
        _scope.reset(token)


def _scope_of(blocks: tuple[Block, ...], contexts: Contexts | None) -> Scope:
    groups: tuple[Group, ...] = ()
    for block in blocks:
        if (group := block.group) is not None:
            if contexts is not None:
                said = (group.label, group.purpose, group.definition_owner, group.details)
                group = contexts.setdefault((*groups, said), group)
            groups = (*groups, group)
    # A risk declared by two open blocks in the same words is one risk.
    risks = dict.fromkeys(risk for block in blocks for risk in block.risks)
    return Scope(blocks, groups, tuple(risks), contexts)


class Block:
    """A with-block and a decorator around the steps that it says something about.

    Attributes:
        group: The group that the steps inside belong to, if it makes one.
        risks: The risks that it attaches to the steps inside.
    """

    group: Group | None = None
    risks: tuple[Declared, ...] = ()

    def entered(self, scope: Scope) -> None:
        """Take note that the block was entered; `scope` includes it."""

    def __enter__(self) -> None:
        outer = _scope.get()
        scope = _scope_of((*outer.blocks, self), outer.contexts)
        _scope.set(scope)
        self.entered(scope)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        scope = _scope.get()
        blocks = list(scope.blocks)
        # Blocks held by generators may end in another order than they began.
        for position in reversed(range(len(blocks))):
            if blocks[position] is self:
                del blocks[position]
                break
        outside = not blocks and scope.contexts is None
        _scope.set(_NOTHING_OPEN if outside else _scope_of(tuple(blocks), scope.contexts))

    def __call__(self, function: F) -> F:
        """Return the function with its body inside the block, however it is run."""
        if inspect.iscoroutinefunction(function):
            return cast("F", _coroutine_inside(self, function))
        if inspect.isgeneratorfunction(function):
            return cast("F", _generator_inside(self, function))
        if inspect.isasyncgenfunction(function):
            return cast("F", _async_generator_inside(self, function))

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast("F", inside)


def _coroutine_inside(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def inside(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await function(*args, **kwargs)

    return inside


def _generator_inside(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    """Open the block only while the generator runs: between items the code of others does."""

    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        resume, value = generator.send, None
        while True:
            with block:
                try:
                    item = resume(value)
                except StopIteration as stop:
                    return stop.value
            try:
                resume, value = generator.send, (yield item)
            except GeneratorExit:
                with block:
                    generator.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the generator decides on it
                resume, value = generator.throw, error

    return inside


def _async_generator_inside(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    """Open the block only while the generator runs, as for one that is not asynchronous."""

    @functools.wraps(function)
    async def inside(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        resume, value = generator.asend, None
        while True:
            with block:
                try:
                    item = await resume(value)
                except StopAsyncIteration:
                    return
            try:
                resume, value = generator.asend, (yield item)
            except GeneratorExit:
                with block:
                    await generator.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - the generator decides on it
                resume, value = generator.athrow, error

    return inside
