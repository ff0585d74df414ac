"""JUnit's XML as CI servers read it: the rules of the schema that Jenkins, GitLab and others share."""

import datetime
import xml.etree.ElementTree as xml

OUTCOMES = ("skipped", "error", "failure")


def suite_of(file):
    """The one suite of `file`, or AssertionError where a CI server would stumble."""
    root = xml.parse(file).getroot()
    assert root.tag == "testsuites" and len(root) == 1 and root[0].tag == "testsuite", xml.tostring(root)
    suite = root[0]
    assert suite.get("name"), suite.attrib
    datetime.datetime.fromisoformat(suite.get("timestamp").replace("Z", "+00:00"))
    cases = list(suite)
    counted = {"tests": len(cases), **dict.fromkeys(("skipped", "errors", "failures"), 0)}
    for case in cases:
        assert case.tag == "testcase" and case.get("name") and case.get("classname"), xml.tostring(case)
        assert float(case.get("time")) >= 0
        outcomes = [child.tag for child in case if child.tag in OUTCOMES]
        assert len(outcomes) <= 1, xml.tostring(case)
        assert {child.tag for child in case} <= {*OUTCOMES, "system-out", "system-err"}, xml.tostring(case)
        for outcome in outcomes:
            assert case.find(outcome).get("message"), xml.tostring(case)
            counted[outcome if outcome == "skipped" else outcome + "s"] += 1
    assert {name: int(suite.get(name)) for name in counted} == counted, (suite.attrib, counted)
    return suite
