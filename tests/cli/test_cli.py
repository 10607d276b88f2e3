import io
import itertools
import json
import subprocess
import sys

import PIL.Image
import pytest
from making import make_generator, make_image_classifier, make_tagger, make_text_classifier, make_translator

from seqgen.cli import classify
from seqgen.cli import main as cli
from seqgen.generation.config import GenerationConfig


@pytest.fixture
def saved(tmp_path):
    make_generator().save_pretrained(tmp_path / "model")
    return tmp_path


def seqgen(command, *arguments):
    return command(cli.main, *arguments)


def test_generate_shows_what_the_writer_writes(command, saved):
    code, out, _ = seqgen(command, "generate", saved, "--prompt", "the ", "--max_new_tokens", 30, "--seed", 3)
    assert code == 0
    assert out == make_generator().generate("the ", max_new_tokens=30, seed=3)[0] + "\n"


def test_the_options_have_the_names_of_generate(command, saved):
    options = {"top_k": 3, "top_p": 0.9, "min_p": 0.01, "repetition_penalty": 1.2, "no_repeat_ngram_size": 4}
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    code, out, _ = seqgen(
        command, "generate", saved / "model", "--prompt", "the", "--seed", 3, "--stop_strings", "at", "on", *flags
    )
    assert code == 0
    assert out[:-1] == make_generator().generate("the", seed=3, stop_strings=["at", "on"], **options)[0]
    _, out, _ = seqgen(command, "generate", saved, "--prompt", "the", "--do_sample", "false", "--max_new_tokens", 9)
    assert out[:-1] == make_generator().generate("the", do_sample=False, max_new_tokens=9)[0]


@pytest.mark.parametrize(
    ("make", "name", "given"), [(make_generator, "generate", "the"), (make_translator, "translate", "the cat")]
)
def test_words_that_every_text_must_have_follow_their_option(command, tmp_path, make, name, given):
    make().save_pretrained(tmp_path)
    beams = ("--num_beams", 3, "--max_new_tokens", 20, "--precision", "fp32")
    code, out, _ = seqgen(command, name, tmp_path, given, *beams, "--force_words", "dog", "mat.")
    assert code == 0
    assert "dog" in out
    assert "mat." in out
    if name == "generate":
        code, _, err = seqgen(command, name, tmp_path, given, "--force_words", "dog")
        assert (code, err.count("\n")) == (2, 1)
        assert "force_words must be with several beams in one group, not ['dog'] with num_beams 1" in err


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
    generator = make_generator()
    expected = [generator.generate(prompt, max_new_tokens=10, seed=1)[0] for prompt in ("the cat", "", "on the")]
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
        (["generate", "/nowhere/at/all"], "there is no folder '/nowhere/at/all'"),
        (["generate", "MODEL", "--prompt", "\u4e16"], "not '\u4e16'"),
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


def test_an_option_that_is_given_counts_even_where_it_is_the_usual_one(command, saved):
    path = saved / "model" / "generation_config.json"
    path.write_text(path.read_text().replace('"max_new_tokens": 300', '"max_new_tokens": 5'))
    usual = GenerationConfig().max_new_tokens
    for words in ((f"--max_new_tokens={usual}",), ("--max_new_tokens", usual)):
        _, out, _ = seqgen(command, "generate", saved, "--prompt", "the", "--seed", 1, *words)
        assert len(out) == len("the") + usual + 1


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_in_the_help_and_has_its_own(command, name):
    _, out, _ = seqgen(command, "--help")
    assert f"\n  {name} " in out
    code, out, err = seqgen(command, name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: seqgen {name} ")


def test_help_and_version_need_no_torch():
    program = "import sys, seqgen.cli.main as cli; cli.run_command(['--help']); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "generate MODEL" in done.stdout


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys, seqgen; print({'torch', 'nltk', 'accelerate', 'tensorboard'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_reader_that_has_seen_enough_is_no_error(saved):
    program = f"{sys.executable} -m seqgen generate {saved} --prompt the --max_new_tokens 20000 --seed 1 | head -c 9"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True, check=False)
    assert len(done.stdout) == 9
    assert done.stderr == ""


@pytest.fixture
def classifier(tmp_path):
    make_text_classifier().save_pretrained(tmp_path / "texts")
    return tmp_path / "texts"


def test_classify_prints_a_line_for_each_input(command, classifier):
    code, out, _ = seqgen(command, "classify", classifier, "a fine film", "odd", "--top_k", 2)
    assert code == 0
    expected = make_text_classifier().classify(["a fine film", "odd"], top_k=2)
    for line, labels, text in zip(out.splitlines(), expected, ["a fine film", "odd"], strict=True):
        assert line.split("\t") == [cell for one in labels for cell in (one.label, f"{one.probability:.4f}")] + [text]


def test_classify_reads_standard_input_line_by_line(command, classifier, monkeypatch):
    monkeypatch.setattr(classify, "LINES", 2)
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n\nthree\tx\n"))
    code, out, _ = seqgen(command, "classify", classifier, "--json")
    assert code == 0
    assert [json.loads(line)["input"] for line in out.splitlines()] == ["one", "", "three\tx"]
    labels = [json.loads(line)["labels"] for line in out.splitlines()]
    assert [len(row) for row in labels] == [1, 0, 1]  # a blank line has no class
    assert all(0 < label["probability"] <= 1 for row in labels for label in row)


def test_a_bad_image_does_not_spoil_the_others(command, tmp_path):
    make_image_classifier().save_pretrained(tmp_path / "images")
    for name in ("a.png", "c.png"):
        PIL.Image.new("RGB", (9, 9)).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no image")
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    code, out, err = seqgen(command, "classify", tmp_path / "images", *paths)
    assert code == 2
    assert [line.split("\t")[-1] for line in out.splitlines()] == [str(paths[0]), "", str(paths[2])]
    assert f"error: {paths[1]}: an image must be whole" in err
    assert err.splitlines()[-1] == "error: 1 of the inputs could not be read"


def test_a_model_is_used_for_what_it_is(command, classifier, saved):
    for arguments, message in (
        (
            ("generate", classifier, "--prompt", "x"),
            "must hold a model that can generate, but it holds a text classifier",
        ),
        (("classify", saved, "x"), "must hold a model that can classify, but it holds a generator"),
        (("tag", classifier, "x"), "must hold a model that can tag, but it holds a text classifier"),
        (("classify", classifier, "x", "--top_k", 0), "top_k must be at least 1, not 0"),
    ):
        code, out, err = seqgen(command, *arguments)
        assert (code, out) == (2, "")
        assert message in err


def test_tag_prints_runs_of_characters(command, tmp_path):
    make_tagger().save_pretrained(tmp_path / "tagger")
    (tmp_path / "a.txt").write_text("x = 1\nthe cat\n")
    _, out, _ = seqgen(command, "tag", tmp_path / "tagger", tmp_path / "a.txt")
    assert "".join(json.loads(line.split("\t")[0]) for line in out.splitlines()) == "x = 1\nthe cat\n"
    tags = [line.split("\t")[1] for line in out.splitlines()]
    assert all(one != other for one, other in itertools.pairwise(tags))
    _, out, _ = seqgen(command, "tag", tmp_path / "tagger", tmp_path / "a.txt", "--json")
    assert "".join(run["text"] for run in json.loads(out)) == "x = 1\nthe cat\n"


def test_a_file_that_cannot_be_tagged_is_a_sentence(command, tmp_path):
    make_tagger().save_pretrained(tmp_path / "tagger")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    code, _, err = seqgen(command, "tag", tmp_path / "tagger", tmp_path / "a.txt")
    assert code == 2
    assert "text must be UTF-8, but byte 1 is 0xff" in err
    code, _, err = seqgen(command, "tag", tmp_path / "tagger", "b.txt")
    assert (code, err) == (0, "b.txt is not a file here, so it is taken for a text\n")


def test_the_models_own_stop_strings_count_unless_others_are_given(command, tmp_path):
    generator = make_generator()
    generator.generation = generator.generation.with_options(seed=1, max_new_tokens=40)
    text = generator.generate("the")[0]
    stop = text[8:10]
    generator.generation = generator.generation.with_options(stop_strings=(stop,))
    generator.save_pretrained(tmp_path / "model")
    [expected] = generator.generate("the")
    assert len(expected) < len(text)
    assert seqgen(command, "generate", tmp_path, "--prompt", "the")[1] == expected + "\n"
    other = text[20:22]
    [expected] = generator.generate("the", stop_strings=(other,))
    assert seqgen(command, "generate", tmp_path, "--prompt", "the", "--stop_strings", other)[1] == expected + "\n"
