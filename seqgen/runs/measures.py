"""The measures that tell how good a run's model is, in plain words and beside its baselines."""

from typing import Any, NamedTuple

THIS = "this model"


class Measure(NamedTuple):
    """A measure of a model, and of what it is compared with.

    Args:
        title: what is measured.
        labels: what has been measured, by the names of the results: first the model, then its baselines.
        best: the best possible value, 1 for a fraction; None where a lower value is better, or there is no limit.
    """

    title: str
    labels: dict[str, str]
    best: float | None = None

    def of(self, results: dict[str, Any]) -> dict[str, float]:
        """Return the values in words, where the results have any: those of the model and of its baselines."""
        return {label: results[name] for name, label in self.labels.items() if name in results}

    def text(self, value: float) -> str:
        """Return a value, as a percentage where it is a fraction."""
        return f"{value:.1%}" if self.best == 1 else f"{value:.4g}"


_NETWORK = {"network_test_accuracy": "the network alone"}  # of a model that is mixed with n-grams


def _accuracy(what: str, baseline: str, most_frequent: str, alone: dict[str, str] | None = None) -> Measure:
    labels = {"test_accuracy": THIS, **(alone or {})}
    labels |= {"baseline_accuracy": baseline, "majority_accuracy": most_frequent}
    return Measure(f"{what} of the test part that are classified correctly", labels, best=1)


LOSS = Measure("Loss of the validation part in nats: lower is better", {"val_loss": THIS})
MIXED = "both mixed"
TOLD = {
    "told_apart": "texts that this network wrote",
    "told_apart_real": "real texts of the test part",
    "told_apart_by_chance": "by chance",
}
MEASURES = {
    "char_generator": (
        Measure(
            "Loss of text that was held back, in nats a token: lower is better",
            {"val_loss": THIS, "ngram_val_loss": "Markov chain", "mixture_val_loss": MIXED},
        ),
        Measure("Bits a character", {"bits_per_character": THIS, "ngram_bits_per_character": "Markov chain"}),
        Measure("Perplexity: between how many equally probable tokens it hesitates", {"perplexity": THIS}),
        Measure(
            "Loss of the text to test on",
            {"test_loss": THIS, "ngram_test_loss": "Markov chain", "mixture_test_loss": MIXED},
        ),
        Measure("Perplexity of the text to test on", {"test_perplexity": THIS}),
    ),
    "text_classifier": (
        _accuracy("Texts", "logistic regression on word n-grams", "always the most frequent class", _NETWORK),
    ),
    "image_classifier": (_accuracy("Images", "logistic regression on 8 x 8 pixels", "always the most frequent class"),),
    "tagger": (
        _accuracy("Tokens", "the most frequent tag of each token", "always the most frequent tag"),
        Measure(
            "The same for tokens that were not in the training part",
            {"test_accuracy_unseen": THIS, "baseline_accuracy_unseen": "the most frequent tag of their ending"},
            best=1,
        ),
        Measure("F1 of whole spans", {"test_span_f1": THIS}, best=1),
    ),
    "translator": (
        Measure("Test sentences that are translated exactly as a person did", {"test_exact_match": THIS}, best=1),
        Measure("BLEU, of at most 100", {"test_bleu": THIS}, best=100),
        Measure("chrF, of at most 100", {"test_chrf": THIS}, best=100),
    ),
    "image_captioner": (
        Measure("Captions of test images that are true", {"test_true_captions": THIS}, best=1),
        Measure("CIDEr-D: higher is better", {"test_cider": THIS}),
        Measure("BLEU-4, of at most 100", {"test_bleu4": THIS}, best=100),
    ),
    "name_generator": (
        Measure("Texts that a classifier of real texts assigns to the right category", TOLD, best=1),
        Measure("Written texts that are not among the training texts", {"new": THIS}, best=1),
        Measure("Perplexity: between how many equally probable tokens it hesitates", {"test_perplexity": THIS}),
    ),
}


def measures(recipe: str, results: dict[str, Any]) -> list[Measure]:
    """Return the measures of a recipe of which there are results; of a recipe of one's own the validation loss."""
    return [measure for measure in MEASURES.get(recipe, (LOSS,)) if measure.of(results)]
