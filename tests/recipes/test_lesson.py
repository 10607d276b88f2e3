"""The lessons: script and notebook are the same, what a notebook shows is clean, and every cell runs."""

import re

import jupytext
import matplotlib
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from making import ROOT
from matplotlib import pyplot
from traitlets.config import Config

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


def quick(path):
    """The code of a lesson with less to learn from and less time, and which of `QUICK` it has."""
    cells, used = [], set()
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            for slow, few in QUICK.items():
                cell.source, count = re.subn(f"^{slow}", few, cell.source, flags=re.MULTILINE)
                used |= {slow} if count else set()
            cells.append(cell.source)
    return cells, used


def test_the_lessons_can_be_made_quick():
    assert set.union(*(quick(path)[1] for path in LESSONS)) == set(QUICK)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """IPython in this process, in which figures are not drawn: what notebooks show is tested above."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context({"backend": "template"}):
        shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        yield shell
        pyplot.close("all")
    shell.reset(new_session=False)
    shell.restore_sys_module_state()


@pytest.mark.filterwarnings("ignore")  # so little is learned that there are means of nothing
@EACH
def test_every_cell_runs(path, shell, capsys):
    for cell in quick(path)[0]:
        shell.run_cell(cell).raise_error()
    assert capsys.readouterr().out
