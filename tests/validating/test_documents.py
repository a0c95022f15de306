import json

import pytest

from nixery.validating.documents import Document, Malformed

BLOB = {"mediaType": "a/b", "digest": f"sha256:{'0' * 64}", "size": 1}
MANIFEST = {"schemaVersion": 2, "mediaType": "a/b", "config": BLOB, "layers": [BLOB]}
INDEX = {"schemaVersion": 2, "mediaType": "a/b", "manifests": [BLOB]}


def read(value: object) -> Document:
    return Document.read(json.dumps(value).encode())


@pytest.mark.parametrize("document", [MANIFEST, INDEX])
def test_a_document_says_its_own_size(document: dict[str, object]) -> None:
    assert read(document).size == len(json.dumps(document))


@pytest.mark.parametrize("size", [True, False, -1, 1.0, "1", None])
def test_a_size_is_a_whole_number(size: object) -> None:
    with pytest.raises(Malformed, match="no descriptor"):
        read({**MANIFEST, "layers": [{**BLOB, "size": size}]})


@pytest.mark.parametrize("document", [MANIFEST, INDEX])
@pytest.mark.parametrize("version", [1, 2.0, True, "2", None])
def test_a_version_is_the_number_2_as_clients_in_go_read_it(document: dict[str, object], version: object) -> None:
    with pytest.raises(Malformed, match="neither"):
        read({**document, "schemaVersion": version})
