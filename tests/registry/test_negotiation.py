import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixery.images.index import ImageIndex, IndexFormat
from nixery.images.manifest import Format, ImageRecord
from nixery.images.name import Platform
from nixery.registry.negotiation import choose, media_type_of, render

OCI, DOCKER = Format.OCI.value, Format.DOCKER.value
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ([], Format.DOCKER),
        ([OCI], Format.OCI),
        ([DOCKER], Format.DOCKER),
        ([DOCKER, OCI], Format.OCI),
        ([f"{DOCKER}, {OCI}"], Format.OCI),
        ([OCI.upper()], Format.OCI),
        (["*/*"], Format.OCI),
        (["application/*"], Format.OCI),
        (["text/html"], Format.DOCKER),
        ([INDEX], Format.DOCKER),
        ([f"{DOCKER}, */*"], Format.OCI),
        ([f"{DOCKER}, */*;q=0.1"], Format.DOCKER),
        ([f"{OCI};q=0, */*"], Format.DOCKER),
        ([f"{OCI};q=0.000", DOCKER], Format.DOCKER),
        ([f"{OCI};q=0.5, {DOCKER};q=0.9"], Format.DOCKER),
        ([f"{OCI}; Q=0.9 , {DOCKER};q=0.5"], Format.OCI),
        ([f"{OCI};q=0", DOCKER + ";q=0"], Format.DOCKER),
        (["application/*;q=0, */*"], Format.DOCKER),
        ([f"{OCI};q=much"], Format.OCI),
        ([f"{OCI}, {DOCKER};q=1.9"], Format.OCI),
        ([f"{OCI};charset=utf-8;q=0"], Format.DOCKER),
        ([f"{OCI};q=0, {OCI}"], Format.OCI),
        ([",,;;, ,"], Format.DOCKER),
    ],
)
def test_oci_is_chosen_where_accept_allows_it(accept: list[str], format: Format) -> None:
    assert choose(accept) is format


def test_containerd_gets_oci() -> None:
    accept = (
        "application/vnd.docker.distribution.manifest.v2+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*"
    )
    assert choose([accept]) is Format.OCI


@given(st.lists(st.text(alphabet=st.sampled_from(list('*/aq=;,. 01\t"' + OCI)), max_size=80)))
def test_any_accept_header_leads_to_a_format(accept: list[str]) -> None:
    assert choose(accept) in Format


OCI_INDEX, DOCKER_LIST = (format.value for format in IndexFormat)
SINGLE = ImageRecord(Platform.ARM64, ())
BOTH = ImageIndex((SINGLE, ImageRecord(Platform.AMD64, ())))


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ([], Format.DOCKER.value),
        (["*/*"], OCI_INDEX),
        ([OCI_INDEX], OCI_INDEX),
        ([DOCKER_LIST], DOCKER_LIST),
        ([f"{DOCKER_LIST}, {Format.DOCKER.value}"], DOCKER_LIST),
        ([f"{OCI_INDEX}, {DOCKER_LIST}, {Format.OCI.value}, {Format.DOCKER.value}"], OCI_INDEX),
        ([f"{OCI_INDEX};q=0.5, {DOCKER_LIST}"], DOCKER_LIST),
        ([f"{OCI_INDEX};q=0.5, {Format.OCI.value}"], Format.OCI.value),
        ([Format.OCI.value], Format.OCI.value),
        ([Format.DOCKER.value], Format.DOCKER.value),
        (["text/html"], Format.DOCKER.value),
    ],
)
def test_an_index_is_for_those_who_take_it(accept: list[str], media_type: str) -> None:
    body, said = render(BOTH, accept)
    assert said == media_type == media_type_of(body)
    if media_type in (Format.OCI.value, Format.DOCKER.value):
        assert body == SINGLE.manifest(Format(media_type)), "of the first platform"
