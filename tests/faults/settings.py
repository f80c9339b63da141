"""Faults of settings: misspelt, contradictory, guessable, leading nowhere: those of whoever starts a process."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.fault import Injected, fault
from tests.faults.system import KEY, System


@fault("UNKNOWN_SETTING", "a variable is misspelt, and nothing starts")
def misspelt(patient: System) -> Injected:
    return _refused_to_start(patient, {"SAFELIGHT_WORKER_CONCURENCY": "4"})


@fault("UNKNOWN_SETTING", "a line of the file is misspelt")
def misspelt_in_file(patient: System) -> Injected:
    patient.working()
    file = patient.folder / "safelight.toml"
    file.write_text('log_levle = "info"\n')
    code, said = patient.command("worker")
    assert code == 2, said
    return Injected(by_hand=file.unlink)


@fault("INVALID_SETTING", "a number is a word")
def no_number(patient: System) -> Injected:
    return _refused_to_start(patient, {"SAFELIGHT_PORT": "eighty"})


@fault("INVALID_SETTING", "the queue backend is one that does not exist")
def no_such_backend(patient: System) -> Injected:
    return _refused_to_start(patient, {"SAFELIGHT_QUEUE": "rabbit"})


@fault("CONTRADICTORY_SETTINGS", "two names of one key say different things")
def two_names(patient: System) -> Injected:
    patient.paid()
    return _refused_to_start(patient, {"SAFELIGHT_REPLICATE_API_TOKEN": KEY})


@fault("BAD_CATALOG", "a model has no route")
def bad_catalog(patient: System) -> Injected:
    file = patient.folder / "catalog.toml"
    file.write_text('[[models]]\nid = "house/nothing"\nkind = "image"\n')
    return _refused_to_start(patient, {"SAFELIGHT_CATALOG": str(file)})


@fault("DEFAULT_SECRET", "the one of the documentation, behind a public address")
def default_secret(patient: System) -> Injected:
    patient.working()
    return _until_corrected(patient, {"SAFELIGHT_SECRET": "change-me-" * 5, "SAFELIGHT_PUBLIC_URL": "https://a.test"})


@fault("LOOPBACK_CALLBACK_URL", "everybody may come, and is sent to themselves")
def loopback_callback(patient: System) -> Injected:
    patient.working()
    url = "http://localhost:8000"
    found = _until_corrected(patient, {"SAFELIGHT_PUBLIC_URL": url, "SAFELIGHT_HOST": "0.0.0.0"})  # noqa: S104 - read only
    return Injected(evidence={"public_url": url}, by_hand=found.by_hand)


@fault("NEVER_STARTED", "on a new machine", port=0)
def new_machine(patient: System) -> Injected:
    return Injected()


@fault("UNKNOWN_SETTING", "on a machine where nothing has started yet")
def misspelt_at_first(patient: System) -> Injected:
    return _until_corrected(patient, {"SAFELIGHT_DATA_DRI": "/srv/pictures"})


@fault("INVALID_SETTING", "a limit is not a number, on a machine where nothing has started yet")
def no_number_at_first(patient: System) -> Injected:
    return _until_corrected(patient, {"SAFELIGHT_KEEP_JOBS_DAYS": "a month"})


@fault("DEFAULT_SECRET", "hardly any different characters")
def poor_secret(patient: System) -> Injected:
    patient.working()
    return _until_corrected(patient, {"SAFELIGHT_SECRET": "abab" * 16, "SAFELIGHT_PUBLIC_URL": "https://a.test"})


@fault("LOOPBACK_CALLBACK_URL", "by number, and everybody may come")
def loopback_by_number(patient: System) -> Injected:
    patient.working()
    url = "http://127.0.0.1:8000"
    found = _until_corrected(patient, {"SAFELIGHT_PUBLIC_URL": url, "SAFELIGHT_HOST": "::"})
    return Injected(evidence={"public_url": url}, by_hand=found.by_hand)


@fault("BAD_CATALOG", "the file is no TOML")
def no_toml(patient: System) -> Injected:
    file = patient.folder / "catalog.toml"
    file.write_text("models: [\n")
    return _refused_to_start(patient, {"SAFELIGHT_CATALOG": str(file)})


@fault("BAD_CATALOG", "the file is not there")
def no_file(patient: System) -> Injected:
    return _refused_to_start(patient, {"SAFELIGHT_CATALOG": str(patient.folder / "nowhere.toml")})


def _refused_to_start(patient: System, wrong: Mapping[str, str]) -> Injected:
    """The server runs on from before; a worker refuses to start with what is wrong."""
    patient.serve()
    job = patient.submit()
    found = _until_corrected(patient, wrong)
    code, said = patient.command("worker")
    assert code != 0, said

    def correct() -> None:
        assert found.by_hand is not None
        found.by_hand()
        patient.worker()

    return Injected(job, by_hand=correct)


def _until_corrected(patient: System, wrong: Mapping[str, str]) -> Injected:
    patient.made.give(wrong)
    return Injected(by_hand=lambda: patient.made.give(dict.fromkeys(wrong, "")))
