"""Of two rounds begun on one tablet at once one goes; the other says that it is busy and touches nothing."""

from __future__ import annotations

from field_app.sync import client


def test_a_round_begun_within_another_is_told_so_and_asks_nothing(office, make_store, worker_of, monkeypatch) -> None:
    worker = worker_of(make_store("tablet", office))
    real, asked, within = client.exchange, [], []

    def exchange(*given):
        asked.append(given)
        if len(asked) == 1:
            within.append(worker.run_once())
        return real(*given)

    monkeypatch.setattr(client, "exchange", exchange)
    assert worker.run_once().trouble == ""
    assert [(each.trouble, each.exchanges) for each in within] == [("busy", 0)]
    assert worker.run_once().trouble == "", "the first round gave its turn back"
