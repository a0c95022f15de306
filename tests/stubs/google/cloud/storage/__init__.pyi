from collections.abc import Iterator, Mapping
from typing import BinaryIO

from google.api_core.retry import Retry
from google.auth.credentials import Credentials, Signing
from requests import Session

class Blob:
    name: str
    size: int
    generation: int | None
    metadata: Mapping[str, str] | None
    crc32c: str | None
    @property
    def public_url(self) -> str: ...
    def download_to_file(
        self,
        file_obj: BinaryIO,
        *,
        start: int | None = None,
        end: int | None = None,
        raw_download: bool = False,
        timeout: tuple[float, float],
        checksum: str | None = "auto",
        retry: Retry | None,
    ) -> None: ...
    def upload_from_file(
        self,
        file_obj: BinaryIO,
        *,
        size: int,
        content_type: str,
        if_generation_match: int,
        checksum: str | None,
        timeout: tuple[float, float],
        retry: Retry | None,
    ) -> None: ...
    def upload_from_string(self, data: bytes) -> None: ...
    def reload(self) -> None: ...
    def delete(self, *, if_generation_match: int, timeout: tuple[float, float], retry: Retry | None) -> None: ...
    def patch(self, *, if_generation_match: int, timeout: tuple[float, float], retry: Retry | None) -> None: ...
    def generate_signed_url(self, *, expiration: int, method: str, version: str, credentials: Signing) -> str: ...

class Bucket:
    name: str
    def blob(self, blob_name: str, chunk_size: int | None = None, *, generation: int | None = None) -> Blob: ...
    def get_blob(self, blob_name: str, *, timeout: tuple[float, float], retry: Retry | None) -> Blob | None: ...
    def list_blobs(
        self,
        *,
        max_results: int,
        prefix: str,
        delimiter: str,
        start_offset: str,
        fields: str,
        timeout: tuple[float, float],
        retry: Retry | None,
    ) -> Iterator[Blob]: ...

class Client:
    def __init__(
        self,
        *,
        project: str | None,
        credentials: Credentials,
        _http: Session,
        client_options: Mapping[str, str],
    ) -> None: ...
    def bucket(self, bucket_name: str) -> Bucket: ...
    def close(self) -> None: ...
