import pytest
import safetensors.torch
import torch
import torchvision

from seqgen.errors import InputError
from seqgen.nn.backbones import backbone, expected_input, load_pretrained


@pytest.mark.parametrize(
    "name", ["small", "resnet18", "mobilenet_v3_small", "efficientnet_b0", "regnet_y_400mf", "swin_t"]
)
def test_a_backbone_gives_a_grid_of_its_features(name):
    network, features = backbone(name)
    with torch.no_grad():
        grid = network.eval()(torch.randn(2, 3, 64, 96))
    assert grid.shape[:2] == (2, features)
    assert grid.shape[3] > grid.shape[2] > 1


def test_what_has_no_grid_or_is_not_there_is_refused():
    with pytest.raises(InputError, match="--backbone must be a convolutional network, but vit_b_32 gives no grid"):
        backbone("vit_b_32")
    with pytest.raises(InputError, match=r"not 'resnet81' \(did you mean resnet18\?\)"):
        backbone("resnet81")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_trained_weights_come_from_a_file(tmp_path, suffix):
    trained = torchvision.models.resnet18()
    path = tmp_path / f"resnet{suffix}"
    if suffix == ".pth":
        torch.save(trained.state_dict(), path)
    else:
        safetensors.torch.save_file(trained.state_dict(), path)
    network, _ = backbone("resnet18")
    load_pretrained(network, "resnet18", str(path))
    assert torch.equal(network.state_dict()["layer4.1.conv2.weight"], trained.layer4[1].conv2.weight)


def test_wrong_weights_are_a_sentence(tmp_path, monkeypatch):
    network, _ = backbone("resnet18")
    torch.save(torchvision.models.resnet34().state_dict(), tmp_path / "other.pth")
    with pytest.raises(InputError, match="--weights must be those of resnet18"):
        load_pretrained(network, "resnet18", str(tmp_path / "other.pth"))
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    with pytest.raises(InputError, match="--weights must be those of resnet18"):
        load_pretrained(network, "resnet18", str(tmp_path / "list.pth"))
    (tmp_path / "broken.pth").write_bytes(b"no tensors")
    with pytest.raises(InputError, match="--weights must be a file of tensors"):
        load_pretrained(network, "resnet18", str(tmp_path / "broken.pth"))
    with pytest.raises(InputError, match="--weights must be default, none, a file or one of torchvision's, not 'best'"):
        load_pretrained(network, "resnet18", "best")

    def offline(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models._api.WeightsEnum, "get_state_dict", offline)
    with pytest.raises(InputError, match=r"cannot be downloaded \(no route to host\): get http.*as --weights"):
        load_pretrained(network, "resnet18", "default")


def test_damaged_weights_in_the_cache_are_downloaded_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    found = torchvision.models.get_model_weights("resnet18")["DEFAULT"]
    (tmp_path / "checkpoints").mkdir()
    damaged = tmp_path / "checkpoints" / found.url.rpartition("/")[2]
    seen = []

    def download(*arguments, **options):
        seen.append(damaged.exists())
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models._api.WeightsEnum, "get_state_dict", download)
    damaged.write_bytes(b"truncated")
    with pytest.raises(InputError, match="no route to host"):
        load_pretrained(backbone("resnet18")[0], "resnet18", "default")
    assert seen == [False]


def test_trained_weights_say_what_images_they_expect():
    assert expected_input("resnet18", "none") is None
    expected = expected_input("resnet18", "default")
    assert expected["size"] == 224
    assert len(expected["mean"]) == len(expected["deviation"]) == 3
    assert expected["border"] == pytest.approx((1 - 224 / 256) / 2)
    with pytest.raises(InputError, match="--weights must be none for the small backbone"):
        expected_input("small", "default")
