"""Put the tables that the code holds into the pages of this folder: `make docs`."""

from pathlib import Path

from autoimb.profiling.measures import as_markdown

BEGIN, END = "<!-- table of measures -->\n", "<!-- end of table -->\n"

page = Path(__file__).parent / "profile.md"
before, _, rest = page.read_text("utf-8").partition(BEGIN)
after = rest.partition(END)[2]
page.write_text(f"{before}{BEGIN}\n{as_markdown()}\n{END}{after}", "utf-8")
