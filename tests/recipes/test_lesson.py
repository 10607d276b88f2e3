"""The lessons: script and notebook are the same, what a notebook shows is clean, and every cell runs."""

import re

import jupytext
import nbformat
import pytest
from making import ROOT
from nbclient import NotebookClient

LESSONS = sorted((ROOT / "recipes" / "lessons").glob("*.py"))
QUICK = {
    r"SECONDS = \d+": "SECONDS = 0.1",
    r"PACKAGES = \{.*\}": 'PACKAGES = {"json"}',
    r"PAIRS = [\d_]+": "PAIRS = 200",
    r"SCENES = [\d_]+": "SCENES = 20",
}
STRANGE = re.compile(r"(?:/home|/root|/tmp|/usr|/work|/opt|/Users|[A-Z]:\\Users)[/\\]|site-packages|Warning:|WARNING")
EACH = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def executed(path):
    """The notebook of a script, as it was executed."""
    return nbformat.read(path.with_suffix(".ipynb"), as_version=4)


def shown(notebook):
    """The outputs of a notebook, each as one text."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            yield output.text if output.output_type == "stream" else output.data["text/plain"]


def test_there_are_lessons():
    assert len(LESSONS) == 3


@EACH
def test_script_and_notebook_have_the_same_cells(path):
    script, notebook = jupytext.read(path), executed(path)
    assert [(cell.cell_type, cell.source) for cell in script.cells] == [
        (cell.cell_type, cell.source) for cell in notebook.cells
    ]


@EACH
def test_what_a_notebook_shows_is_of_one_run_and_of_no_machine(path):
    notebook = executed(path)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    outputs = list(shown(notebook))
    assert len(outputs) >= len(counts) / 2
    assert not [text for text in outputs if STRANGE.search(text)]
    assert not STRANGE.search(str(notebook.metadata))
    pictures = [one for cell in notebook.cells for one in cell.get("outputs", []) if "image/png" in one.get("data", {})]
    assert len(pictures) >= 3
    assert path.with_suffix(".ipynb").stat().st_size < 700_000


@pytest.mark.processes
def test_every_cell_runs(tmp_path, monkeypatch):
    """All lessons in one kernel, as each imports the same: it forgets all names between them."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("MPLBACKEND", "template")  # which draws nothing: what notebooks show is tested above
    whole, used = nbformat.v4.new_notebook(), set()
    for path in LESSONS:
        for cell in jupytext.read(path).cells:
            for slow, quick in QUICK.items():
                cell.source, count = re.subn(f"^{slow}", quick, cell.source, flags=re.MULTILINE)
                used |= {slow} if count and cell.cell_type == "code" else set()
            whole.cells.append(cell)
        whole.cells.append(nbformat.v4.new_code_cell("%reset -f"))
    assert used == set(QUICK)
    NotebookClient(whole, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert any(shown(whole))
