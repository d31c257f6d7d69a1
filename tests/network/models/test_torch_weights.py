"""Files of torch.save: weights by the weights-only loader, and nothing else."""

import os
import zipfile

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError
from jacobian_bp.network.files import weights_file
from jacobian_bp.network.files.weights_file import read_weights

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn = torch.nn
SAVE = "  Save model.state_dict() alone: torch.save(model.state_dict(), 'w.pt')."


def made():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_state_dict_is_the_weights_of_a_network_file(tmp_path, wrap, dtype):
    model = made().to(dtype)
    torch.save(wrap(model.state_dict()), tmp_path / "w.pt")
    text = '[network]\nsizes = [3, 5, 2]\nactivations = ["tanh", "identity"]\n'
    (tmp_path / "net.toml").write_text(text + 'loss = "squared_error"\n[weights]\nfile = "w.pt"\n')
    net = Network.from_toml(tmp_path / "net.toml")
    for name, value in zip(("W1", "b1", "W2", "b2"), model.parameters(), strict=True):
        assert np.array_equal(net.params[name], value.detach().double().numpy())


class Trap:
    """A pickle that would leave a mark."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_what_would_run_is_refused_and_not_run(tmp_path):
    torch.save({"0.weight": Trap(tmp_path / "mark")}, tmp_path / "w.pt")
    with pytest.raises(SpecError) as caught:
        read_weights(tmp_path / "w.pt", tmp_path)
    assert str(caught.value) == (
        "w.pt holds more than weights: torch's weights-only loader refuses it, UnpicklingError.\n"
        + SAVE
    )
    assert not (tmp_path / "mark").exists()


def test_what_is_no_state_dict_is_told(tmp_path):
    torch.save([1, 2], tmp_path / "w.pt")
    with pytest.raises(SpecError) as caught:
        read_weights(tmp_path / "w.pt", tmp_path)
    assert str(caught.value) == f"w.pt holds no state_dict, names and their tensors.\n{SAVE}"
    (tmp_path / "w.pt").write_bytes(b"\x80\x04junk")
    with pytest.raises(SpecError) as caught:
        read_weights(tmp_path / "w.pt", tmp_path)
    assert str(caught.value) == f"w.pt is no archive that torch.save writes.\n{SAVE}"


def test_an_archive_that_would_unpack_to_more_than_there_is_memory_is_refused(tmp_path):
    from jacobian_bp.numbers.memory import memory_limit

    with zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("w/data/0", b"\0" * 2**24)
    with memory_limit(2**20), pytest.raises(SpecError) as caught:
        read_weights(tmp_path / "w.pt", tmp_path)
    assert str(caught.value) == (
        f"w.pt is no archive that torch.save writes, and would unpack to 16.0 MiB.\n{SAVE}"
    )


def test_without_a_safe_loader_it_is_a_pickle(tmp_path, monkeypatch):
    torch.save(made().state_dict(), tmp_path / "w.pt")
    monkeypatch.setattr(weights_file, "torch_can_load", lambda: False)
    with pytest.raises(SpecError, match="is a pickle by its ending; reading one can run code"):
        read_weights(tmp_path / "w.pt", tmp_path)
