"""An HTTP API through dlt's REST client: every record as one line of JSON in the landing folder, then read as a file.

A reading that fails half-way leaves the last complete one in place and loads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.result import SourceError, SourceUnavailable
from orchestration.ingest.run import Run, Secrets
from orchestration.ingest.spec import Auth, Paginate, RestSource

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client.client import PageData, RESTClient
    from dlt.sources.helpers.rest_client.paginators import BasePaginator
    from requests.auth import AuthBase

FOLDER = ".rest"  # a name that begins with a dot is no delivery of a `files` source


def fetch(spec: RestSource, run: Run, since: date | int | None) -> LandedFile:
    """Every record, from ``since`` on, as JSON lines.

    Raises `SourceUnavailable` when the API fails, `SourceError` when what it answers is not what was declared.
    """
    path = run.landing / FOLDER / f"{spec.name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with _blame(spec), partial.open("w", encoding="utf-8") as stream:
        for page in _pages(spec, run.secrets, since):
            stream.writelines(f"{json.dumps(record, ensure_ascii=False)}\n" for record in page)
    partial.replace(path)
    stat = path.stat()
    return LandedFile(f"{FOLDER}/{path.name}", path, stat.st_size, stat.st_mtime_ns, "")


def _pages(spec: RestSource, secrets: Secrets, since: date | int | None) -> Iterator[PageData[Any]]:
    host = urlsplit(spec.url).netloc
    params: dict[str, Any] = dict(spec.params)
    if since is not None and spec.since_param is not None:
        params[spec.since_param] = since.isoformat() if isinstance(since, date | datetime) else since
    client = _client(spec, secrets)
    for page in client.paginate(
        spec.url, params=params, paginator=_paginator(spec.paginate), data_selector=spec.records
    ):
        if not page and not _has_records(page, spec.records):
            raise SourceError(
                f'{spec.name}: the answer of {spec.url} has no "{spec.records}"; set records: to its list'
            )
        # The next request would be sent our credentials.
        if page.paginator.has_next_page and urlsplit(page.request.url).netloc != host:
            raise SourceError(f"{spec.name}: the next page of {spec.url} is on another host, {page.request.url}")
        yield page


def _has_records(page: PageData[Any], records: str) -> bool:
    from dlt.common.jsonpath import find_values

    return bool(find_values(records, page.response.json()))


def _client(spec: RestSource, secrets: Secrets) -> RESTClient:
    from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
    from dlt.sources.helpers.requests.retry import DEFAULT_RETRY_EXCEPTIONS, Client
    from dlt.sources.helpers.rest_client.client import RESTClient
    from requests.exceptions import ChunkedEncodingError

    session = Client(
        raise_for_status=False,
        request_timeout=spec.timeout_seconds,
        request_max_attempts=spec.retries + 1,
        exceptions=(*DEFAULT_RETRY_EXCEPTIONS, ChunkedEncodingError),
    ).session
    # An explicit configuration keeps dlt from looking for one in the environment and the working directory.
    return RESTClient(
        spec.url,
        headers=dict(spec.headers),
        auth=_auth(spec.auth, secrets),
        session=session,
        config=RuntimeConfiguration(),
    )


def _auth(auth: Auth | None, secrets: Secrets) -> AuthBase | None:
    from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth

    if auth is None:
        return None
    if auth.type == "basic":
        return HttpBasicAuth(secrets(auth.username_env or ""), secrets(auth.password_env or ""))
    token = secrets(auth.token_env or "")
    return BearerTokenAuth(token) if auth.type == "bearer" else APIKeyAuth(name=auth.header, api_key=token)


def _paginator(by: Paginate) -> BasePaginator:
    from dlt.sources.helpers.rest_client import paginators

    if by.type == "page_number":
        return paginators.PageNumberPaginator(
            base_page=by.first_page, page=by.first_page, page_param=by.page_param, total_path=by.total
        )
    if by.type == "offset":
        return paginators.OffsetPaginator(
            limit=by.limit, offset_param=by.offset_param, limit_param=by.limit_param, total_path=by.total
        )
    if by.type == "cursor":
        return paginators.JSONResponseCursorPaginator(cursor_path=by.next, cursor_param=by.cursor_param)
    if by.type == "next_link":
        return paginators.JSONLinkPaginator(next_url_path=by.next)
    return paginators.HeaderLinkPaginator() if by.type == "header_link" else paginators.SinglePagePaginator()


@contextmanager
def _blame(spec: RestSource) -> Iterator[None]:
    from requests.exceptions import HTTPError, JSONDecodeError, RequestException

    try:
        yield
    except JSONDecodeError as error:
        raise SourceError(f"{spec.name}: {spec.url} did not answer JSON: {error.msg}") from None
    except HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        said = f"{spec.name}: {spec.url} answered {status}"
        if status == 429 or status >= 500:
            raise SourceUnavailable(f"{said}, {spec.retries} retries later too") from None
        raise SourceError(f"{said}; check url, params and auth") from None
    except RequestException as error:
        raise SourceUnavailable(f"{spec.name}: {spec.url} cannot be reached: {type(error).__name__}") from None
