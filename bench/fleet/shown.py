"""The page and the report of a large fleet: how fast they are there, and how large."""

from __future__ import annotations

import os
import shutil
import time
import urllib.request
from pathlib import Path

import numpy as np
from bench.fleet.generated import Size, append_runs, generate
from bench.landing.figures import at_most
from playwright.sync_api import sync_playwright
from support.fleet.served import served

from conformare.fleet import Fleet, open_store, questions, read_store, to_html

OVERVIEW_MS, FOLD_MS, REPORT_MB, INTERACTIVE_SECONDS = 100, 200, 2, 2


def page(lake: Path, size: Size, folder: Path) -> None:
    """Print how fast the overview is served, and how fast a new commit is folded in.

    Args:
        lake: The lake; it stays as it is.
        size: How large it is.
        folder: Where a copy of it may be, on the same disk.
    """
    copy = folder / "copy"
    # No file of a table ever changes.
    shutil.copytree(lake, copy, copy_function=os.link)
    fleet = Fleet(open_store(str(copy)))
    with served(fleet) as url:
        _get(url)  # all is read
        print(at_most("overview, ms", 1000 * _get(f"{url}/"), OVERVIEW_MS))
        print(
            f"  with a filter of which nobody has asked: {1000 * _get(f'{url}/?since=3650d'):,.0f} ms"
        )
    questions.drift(fleet)
    append_runs(copy, np.arange(size.runs, size.runs + 1), size)
    began = time.perf_counter()
    fleet.refresh()
    print(at_most("a commit folded in, ms", 1000 * (time.perf_counter() - began), FOLD_MS))
    shutil.rmtree(copy)


def report(folder: Path) -> None:
    """Print how large a report of 1,000 pipelines with 30 runs each is, and how fast a browser has it.

    Args:
        folder: Where it may be.
    """
    lake, file = folder / "thirty", folder / "fleet.html"
    generate(lake, Size(30_000, 1_000))
    before = time.process_time()
    to_html(read_store(lake), file)
    print(f"  made in {time.process_time() - before:.1f} s of CPU")
    print(at_most("MB", file.stat().st_size / 1e6, REPORT_MB))
    with sync_playwright() as play:
        chromium = shutil.which("chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        began = time.perf_counter()
        tab.goto(file.as_uri())
        tab.get_by_label("Filter by text").fill("pipeline-0001")
        tab.get_by_text("1 of 1000").wait_for()
        seconds = time.perf_counter() - began
        print(at_most("opened and filtered, s", seconds, INTERACTIVE_SECONDS))
        browser.close()


def _get(url: str) -> float:
    began = time.perf_counter()
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own, on loopback
        answer.read()
    return time.perf_counter() - began
