"""Findings as JUnit XML, which GitLab, Jenkins and others show as failed tests."""

from __future__ import annotations

from collections import defaultdict
from xml.etree import ElementTree as ET

from conformare.cli.fleet.formats._verdict import Verdict, name_of, owners_of
from conformare.fleet.questions import Finding
from conformare.fleet.stores import PipelineKey
from conformare_schemas.printable import printable

SUITE = "conformare fleet check"


def as_junit(verdict: Verdict) -> str:
    """Return a test for each pipeline and kind: passed, or failed with what was found.

    A test has the same name in each report, so that a CI server tells what is new.
    """
    found: dict[tuple[PipelineKey, str], list[Finding]] = defaultdict(list)
    for finding in verdict.findings:
        found[PipelineKey(finding.pipeline, finding.env), finding.kind].append(finding)
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name=SUITE)
    tests = 0
    for key in verdict.pipelines:
        class_name = printable(name_of(key))
        for kind in verdict.fail_on:
            of_kind = found.get((key, kind), ())
            for finding in of_kind:
                name = f"{kind}: {finding.subject}" if finding.subject else kind
                test = ET.SubElement(
                    suite, "testcase", classname=class_name, name=printable(name), time="0"
                )
                failure = ET.SubElement(test, "failure", type=kind, message=printable(finding.text))
                failure.text = printable(
                    f"{finding.text}; owner: {owners_of(finding)}; run {finding.run_id}"
                )
            if not of_kind:
                ET.SubElement(suite, "testcase", classname=class_name, name=kind, time="0")
            tests += max(1, len(of_kind))
    counts = {"tests": str(tests), "failures": str(len(verdict.findings)), "errors": "0"}
    for element in (suites, suite):
        element.attrib.update(counts)
    suite.set("timestamp", f"{verdict.at:%Y-%m-%dT%H:%M:%S}")
    suite.set("time", "0")
    ET.indent(suites)
    # Everything beyond ASCII as its number: right in whichever encoding the output has.
    text = ET.tostring(suites, encoding="us-ascii", xml_declaration=False).decode()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
