"""The bundle: the signed folder that live may load, and nothing else."""

from pipelines.report import words
from pipelines.report.html import Html, caption, paragraph, tag
from pipelines.report.parts.part import Part, facts, table
from pipelines.report.story import Story, Tone

RUNGS = {"shadow": "shadow: it trades on paper only"}


def status(story: Story) -> tuple[Tone, str]:
    if story.get("bundle").get("published") is False:
        return "quiet", "none published"
    return "good", f"no. {words.figure(story.get('bundle').get('seq'))}"


def draw(story: Story) -> list[Html]:
    bundle = story.get("bundle")
    if bundle.get("published") is False:
        return [paragraph(str(bundle.get("why") or "Nothing was published."))]
    files = bundle.get("files") or {}
    rows = [[tag("code", name), words.size(n_bytes)] for name, n_bytes in sorted(files.items())]
    total = sum(words.finite(n_bytes) or 0 for n_bytes in files.values())
    return [
        paragraph(
            f"Live trades bundle no. {words.figure(bundle.get('seq'))} from its next start, and refuses it after "
            f"{words.moment(bundle.get('expires'))}."
        ),
        facts(
            [
                ("Digest", tag("code", bundle.get("digest") or words.DASH)),
                ("Rung", RUNGS.get(str(bundle.get("rung")), bundle.get("rung") or words.DASH)),
                ("Created", words.moment(bundle.get("created"))),
                ("Expires", words.moment(bundle.get("expires"))),
                ("Folder", tag("code", bundle.get("path") or words.DASH)),
            ]
        ),
        table(["File", "size"], rows, narrow=True) if rows else paragraph("Its files were not listed."),
        caption(
            f"{words.plural(len(files), 'file')}, {words.size(total)}. Data only: signed, checked against its digest, "
            "and replayed on golden inputs before anything is used."
        ),
    ]


PART = Part(
    "bundle",
    "Bundle",
    "Bundle",
    "bundle",
    "none was published, so live keeps the one it has, or stays flat",
    status,
    draw,
)
