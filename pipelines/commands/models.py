"""`nightdesk models …`: the evidence, the policy and its measured errors. What a person decides stands in `acts`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings as settings_module
from pipelines.commands import acts
from pipelines.commands.options import HomeOption, JsonOption, SeedOption, SetOption, emit, home_of, overrides
from pipelines.home import Home

app = typer.Typer(no_args_is_help=True, help="Bundles, the records of who let them through, the ladder, and "
                                                "the gate's policy. Begin with `list`, `show N` and `ladder`.")


@app.command("list")
def list_(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Every act, newest first, with the bundles that it let through and which of them serves.

    An act is a signed record: promote and refresh come of the nightly's gate; approve, reject, rollback, climb, demote,
    kill, reset and override of a person or of the ladder. `nightdesk models show N` tells one whole.
    """
    from pipelines.evidence import inventory

    emit(inventory.list_bundles(home_of(home)), json_, inventory.print_list)


@app.command()
def show(seq: int, home: HomeOption = None, json_: JsonOption = False) -> None:
    """One record whole: every gate value with its bar, the trials that were counted, inputs by digest, model card,
    and, beside what was decided, the code and machine that made it. `models list` has the numbers."""
    from pipelines.evidence import inventory

    emit(inventory.show(home_of(home), seq), json_, lambda v: print(json.dumps(v, indent=1, default=str)))


@app.command()
def verify(
    home: HomeOption = None, json_: JsonOption = False,
    verdicts: Annotated[bool, typer.Option("--verdicts", help="Also compute every gate value again from its record and "
                                                              "evidence, to 1e-9")] = False,
) -> None:  # fmt: skip
    """Check the chains and signatures of ledger, records and the current bundle.

    Any changed, lost or inserted byte is found, a cut tail through the head that is kept apart (ledger/records.head).
    Exit 1 where something does not hold: then nothing is promoted until it is restored from a backup.
    """
    from pipelines.evidence import inventory

    desk = home_of(home)
    result = {**inventory.verify(desk), **(inventory.recompute(desk) if verdicts else {})}
    emit(result, json_, lambda v: print("\n".join(f"{name}: {state}" for name, state in v.items())))
    if not all(state.startswith(("ok", "none yet")) for state in result.values()):
        raise typer.Exit(1)


@app.command()
def ladder(home: HomeOption = None, set_: SetOption = None, json_: JsonOption = False) -> None:
    """On which rung who holds the slot stands, what the next one asks, and what is still open. Changes nothing."""
    from pipelines.evidence import ladder as climbing
    from pipelines.evidence.judged import SLOT, JudgedNight
    from pipelines.evidence.records import Records
    from pipelines.evidence.standing import standing

    settings = settings_module.load(overrides(home, None, None, None, set_))
    desk = home_of(home)
    try:
        night = JudgedNight.load(desk)
    except FileNotFoundError as nothing:
        raise FileNotFoundError(f"nothing was judged in {desk.root} yet: run `nightdesk nightly` first") from nothing
    climb = climbing.asked(desk, settings, night)
    emit(climbing.told(climb, standing(Records(desk).all(), SLOT), settings), json_, climbing.print_ladder)


@app.command()
def registry(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Bring MLflow's registry to what the records say; every night does it too. Nothing ever reads it back."""
    from pipelines.evidence import registry as derived

    desk = home_of(home)
    with desk.lock():
        told = derived.derive_if_new(desk)
    emit(told, json_, lambda one: print(f"{one['versions']} versions; " + (
        ", ".join(f"{name} is version {version}" for name, version in one["aliases"].items()) or "nobody serves")))


@app.command()
def policy(home: HomeOption = None, set_: SetOption = None, json_: JsonOption = False) -> None:
    """The gate's presets, which one is in use, and how often each was measured to promote noise and to see skill."""
    from pipelines.evidence import policy as policy_module

    settings = settings_module.load(overrides(home, None, None, None, set_))
    emit(policy_module.collect(settings, Home(settings.home)), json_, policy_module.print_policy)


@app.command()
def calibrate(
    home: HomeOption = None, seed: SeedOption = None, set_: SetOption = None, json_: JsonOption = False,
    markets: Annotated[int, typer.Option(min=1, help="Null markets of each family and correlation")] = 1000,
    years: Annotated[int, typer.Option(min=1, help="Years of 250 nights of each family")] = 200,
    folder: Annotated[Path | None, typer.Option(help="Where answers are kept. Default: in the home")] = None,
    whole_path: Annotated[int | None, typer.Option(
        min=1, help="Instead: so many markets of each family through features, weekly fits, judgement and gate; "
                    "some ten seconds each")] = None,
    family: Annotated[str, typer.Option(help="With --whole-path: what is fitted, gbm, hmm or gnn")] = "gbm",
) -> None:  # fmt: skip
    """How often this gate promotes noise, in single nights and in years of them, and which skill it sees. Resumes."""
    from pipelines.evidence.calibration import picture, run, whole
    from pipelines.evidence.policy import policy_of

    settings = settings_module.load(overrides(home, None, seed, None, set_))
    place = folder or Home(settings.home).prepare().calibration
    if whole_path is not None:
        if family not in whole.FAMILIES:
            raise typer.BadParameter(f"one of {', '.join(whole.FAMILIES)}", param_hint="--family")
        walked = whole.calibrate(place, settings.seed, whole_path, settings.threads, family)
        emit(walked, json_, lambda told: print("\n".join([*whole.lines(told), f"Kept in {told['folder']}"])))
        return
    result = run.calibrate(place, policy_of(settings), settings.seed, markets, years)
    emit(result, json_, lambda told: print("\n".join([*picture.lines(told), f"Kept in {told['folder']}"])))


for act in acts.COMMANDS:
    app.command()(act)
