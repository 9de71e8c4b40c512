"""Which request meets a fault depends on the seed and on what was asked, and on nothing else."""

from __future__ import annotations

from tests.faults.classes import CLASSES, MIXED
from tests.faults.exchange import Request
from tests.faults.kinds.instead import Reset, Status
from tests.faults.rules import ALWAYS, Plan, Rule, nth
from tests.faults.small import FILE

ONE = "5f2c1a94-7a4e-4b8e-9d0b-0c6a3c1b2d3e"
OTHER = "aaaaaaaa-7a4e-4b8e-9d0b-0c6a3c1b2d3e"


def asked(path: str, method: str = "GET", service: str = "nova") -> Request:
    return Request(service, method, path)


def struck(plan: Plan, path: str = f"/v2.1/servers/{ONE}") -> list[int]:
    return [count for count in range(1, 1001) if plan.rule_for(asked(path), count)]


def test_a_seed_does_the_same_again_and_another_does_not() -> None:
    rules = [Rule(Status(503))]
    assert struck(Plan("1", rules, 0.1)) == struck(Plan("1", rules, 0.1))
    assert struck(Plan("1", rules, 0.1)) != struck(Plan("2", rules, 0.1))


def test_about_as_many_are_struck_as_the_chance_says() -> None:
    assert 70 < len(struck(Plan("1", [Rule(Status(503))], 0.1))) < 130


def test_the_ids_of_another_run_meet_the_same() -> None:
    plan = Plan("1", [Rule(Status(503))], 0.1)
    assert struck(plan) == struck(plan, f"/v2.1/servers/{OTHER}")
    assert asked(f"/v3/{ONE.replace('-', '')}/volumes/{ONE}?x=1").shape == "/v3/{id}/volumes/{id}"


def test_a_rule_aims_at_the_nth_request_of_a_shape() -> None:
    assert struck(Plan("1", [Rule(Status(503), by=nth(2, 5))])) == [2, 5]


def test_a_rule_is_for_its_methods_its_service_and_its_path() -> None:
    plan = Plan("1", [Rule(Status(503), "POST PUT", "nova", r"/v2\.1/servers", ALWAYS)])
    assert plan.rule_for(asked("/v2.1/servers", "POST"), 1)
    assert not plan.rule_for(asked("/v2.1/servers"), 1)
    assert not plan.rule_for(asked("/v2.1/servers", "POST", "cinder"), 1)
    assert not plan.rule_for(asked("/v2.1/servers/detail", "POST"), 1)


def test_of_several_faults_each_has_its_turn() -> None:
    plan = Plan("1", [Rule(Status(503)), Rule(Reset(is_obeyed=True))], 1.0)
    found = {rule.fault for count in range(50) if (rule := plan.rule_for(asked("/"), count))}
    assert set(map(repr, found)) == {repr(Status(503)), repr(Reset(is_obeyed=True))}


def test_two_decisions_on_one_request_do_not_hang_together() -> None:
    plan, request = Plan("1", []), asked("/")
    assert plan.dice(request, 1).random() != plan.dice(request, 1, "fault").random()


def test_bytes_are_flipped_in_downloads_of_data_only() -> None:
    data, rules = Request("glance", "GET", FILE), CLASSES["flip-data"].rules
    others = (Request("glance", "PUT", FILE), Request("glance", "GET", "/v2/images"))
    assert any(rule.fits(data) for rule in rules)
    assert not any(rule.fits(other) for rule in rules for other in others)


def test_the_mix_has_every_fault_but_the_one_that_must_end_a_command() -> None:
    alone = {
        rule.fault
        for name, each in CLASSES.items()
        for rule in each.rules
        if name not in (MIXED, "redirect-elsewhere")
    }
    assert {rule.fault for rule in CLASSES[MIXED].rules} == alone
    assert all(rule.by.is_chance for rule in CLASSES[MIXED].rules)
