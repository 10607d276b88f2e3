"""The properties of a text that cells of a generator follow, as a section of its report."""

from seqgen.figures.section import Section
from seqgen.figures.tables import table
from seqgen.inference.activations import count_cells
from seqgen.inference.generator import Generator
from seqgen.metrics.followed import LEAST_TOKENS, followed_properties

READ, MOST_VALUES = 10_000, 1 << 22  # characters, and activations, which take a second
COLUMNS = ("property", "", "layer", "cell", "larger or smaller", "AUC", "null, 95 %", "token alone")
EXPLANATION = (
    "Which cell follows a property of the text best: chosen on the first half of a text that was held back, and scored "
    "on the second. An AUC of 0.5 is chance, and 1 a cell that orders all tokens as the property does. The null is "
    "what the same search finds for properties that have nothing to do with the text; where the token alone tells as "
    "much as the cell, this need not remember anything. <code>seqgen cells</code> shows the text coloured by any cell."
)


def followed_section(generator: Generator, text: str) -> Section:
    """Return the cells that follow properties of the beginning of a text best, empty where the text is too short."""
    generator = next(iter(generator.members), generator)  # the cells of an ensemble are those of its first member
    most = min(READ, MOST_VALUES // count_cells(generator.model, generator.device))
    read = generator.activations(text[:most], unseen="replace")
    if len(read.tokens) < LEAST_TOKENS:
        return Section("Cells")
    rows = []
    for one in followed_properties(read.tokens, read.cells):
        figures = (f"{figure:.3f}" for figure in (one.auc, one.null_high, one.current_token))
        rows.append((one.property, one.kind, str(one.layer), str(one.cell), one.direction(), *figures))
    lines = [" | ".join(row) for row in (COLUMNS, *rows)]
    return (
        Section("Cells", "\n".join(lines), f"<p>{EXPLANATION}</p>{table(COLUMNS, rows)}") if rows else Section("Cells")
    )
