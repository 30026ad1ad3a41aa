"""Without its key file the service refuses to start; it makes no new one that would open nothing."""

import textwrap

from mandant.service.tour.commands import command
from mandant.service.tour.stage import Stage, open_stage
from mandant.service.tour.telling import Teller

NAME = "The key file is gone"
PROMISE = "Without its keys the service refuses to start and says why. It never makes new ones over old data."


async def walk(stage: Stage, tell: Teller) -> None:
    """To be called when `stage`'s service has stopped."""
    key_file = stage.installation / "keys" / "local.json"
    away = key_file.with_suffix(".away")
    before = key_file.read_bytes()
    key_file.rename(away)
    tell.command("mv keys/local.json away; mandant up")
    try:
        code, said = await command(stage, "up")
        made = key_file.exists()
    finally:
        away.rename(key_file)
    sentence = " ".join(said.replace("│", " ").split())
    start = max(0, sentence.find("the key file"))
    tell.output(
        textwrap.wrap(sentence[start:].rstrip("╰─╯ ").replace(f"{stage.installation.absolute()}/", ""), 76)
    )
    tell.proves("it refuses to start", code == 1 and "is missing" in sentence)
    tell.proves("no new key file was made", not made and key_file.read_bytes() == before)
    company = stage.companies["alpenglut"]
    tell.command("mv away keys/local.json; mandant up")
    async with open_stage(stage.folder, stage.settings) as again:
        api = again.client.signed(str(company.api.secret))
        answer = await api.get(f"{company.base}/{stage.shown}")
    tell.proves(f"with its key file everything opens again: {answer.status}", answer.status == 200)
