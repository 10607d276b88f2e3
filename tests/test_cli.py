import io
import subprocess
import sys

import pytest
from making import make_writer

from seqgen import cli


@pytest.fixture
def saved(tmp_path):
    make_writer().save_pretrained(tmp_path / "model")
    return tmp_path


def seqgen(command, *arguments):
    return command(cli.main, *arguments)


def test_generate_shows_what_the_writer_writes(command, saved):
    code, out, _ = seqgen(command, "generate", saved, "--prompt", "the ", "--max_new_tokens", 30, "--seed", 3)
    assert code == 0
    assert out == make_writer().generate("the ", max_new_tokens=30, seed=3)[0] + "\n"


def test_the_options_have_the_names_of_generate(command, saved):
    options = {"top_k": 3, "top_p": 0.9, "min_p": 0.01, "repetition_penalty": 1.2, "no_repeat_ngram_size": 4}
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    code, out, _ = seqgen(
        command, "generate", saved / "model", "--prompt", "the", "--seed", 3, "--stop_strings", "at", "on", *flags
    )
    assert code == 0
    assert out[:-1] == make_writer().generate("the", seed=3, stop_strings=["at", "on"], **options)[0]
    _, out, _ = seqgen(command, "generate", saved, "--prompt", "the", "--do_sample", "false", "--max_new_tokens", 9)
    assert out[:-1] == make_writer().generate("the", do_sample=False, max_new_tokens=9)[0]


def test_several_texts_are_set_apart(command, saved):
    _, out, _ = seqgen(command, "generate", saved, "--prompt", "the", "--num_return_sequences", 3, "--seed", 1)
    assert out.count("\n---\n") == 2


def test_the_model_says_what_is_not_said_on_the_command_line(command, saved):
    path = saved / "model" / "generation_config.json"
    path.write_text(path.read_text().replace('"max_new_tokens": 300', '"max_new_tokens": 5'))
    for arguments in ((saved, "--prompt", "the"), ("--prompt", "the", saved)):
        _, out, _ = seqgen(command, "generate", *arguments, "--seed", 1)
        assert len(out) == len("the") + 5 + 1


def test_prompts_come_from_standard_input_one_a_line(command, saved, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("the cat\n\non the"))
    _, out, _ = seqgen(command, "generate", saved, "--seed", 1, "--max_new_tokens", 10)
    writer = make_writer()
    expected = [writer.generate(prompt, max_new_tokens=10, seed=1)[0] for prompt in ("the cat", "", "on the")]
    assert out == "".join(text + "\n" for text in expected)


def test_a_bad_prompt_among_others_is_named_by_its_line(command, saved, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("the\n\u4e16\nthe\n"))
    code, out, err = seqgen(command, "generate", saved, "--max_new_tokens", 5)
    assert code == 2
    assert out.count("\n") >= 1
    assert err.startswith("error: standard input, line 2: ")


def test_on_a_terminal_one_may_try_again(command, saved, monkeypatch):
    terminal = io.StringIO("\u4e16\nthe\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    code, out, err = seqgen(command, "generate", saved, "--max_new_tokens", 5)
    assert code == 0
    assert out.startswith("the")
    assert "error: " in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["generat"], "there is no command 'generat' (did you mean generate?)"),
        (["generate", "/nowhere/at/all"], "'/nowhere/at/all' is neither"),
        (["generate", "MODEL", "--prompt", "\u4e16"], "had no '\u4e16'"),
        (["generate", "MODEL", "--prompt", "a", "--temperature", "-1"], "temperature must be above 0"),
        (["generate", "MODEL", "--prompt", "a", "--temperature", "hot"], "--temperature must be a number, not 'hot'"),
        (["generate", "MODEL", "--prompt", "a", "--top_p", "1.5"], "top_p must be above 0 and at most 1"),
        (["generate", "MODEL", "--prompt", "a", "--temprature", "1"], "no option --temprature (did you mean --temp"),
        (["generate", "MODEL", "--prompt", "a", "--unseen", "guess"], "--unseen must be one of error, replace"),
        (["generate", "MODEL", "--prompt", "a", "--device", "tpu9"], "--device must be"),
        (["generate"], "directory"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(command, saved, arguments, sentence):
    code, out, err = seqgen(command, *[saved if word == "MODEL" else word for word in arguments])
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_help_and_version_need_no_torch():
    program = (
        "import sys; from seqgen.cli import run_command; run_command(['--help']); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "generate DIRECTORY" in done.stdout


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys, seqgen; print({'torch', 'nltk', 'accelerate', 'tensorboard'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_reader_that_has_seen_enough_is_no_error(saved):
    program = (
        f"{sys.executable} -m seqgen.cli generate {saved} --prompt the --max_new_tokens 20000 --seed 1 | head -c 9"
    )
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True, check=False)
    assert len(done.stdout) == 9
    assert done.stderr == ""
