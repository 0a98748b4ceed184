"""A folder of an SFTP server."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Self, cast

import asyncssh

from connectors.folder.places import CHUNK, Entry, disk_failure, is_safe
from connectors.folder.profile import Sftp
from connectors.profiles import Unreachable
from engine.core.errors import EnvironmentFailure, UsageError

REFUSED = (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed)


class SftpPlace:
    """A `Place` on an SFTP server, over one connection that is opened anew when it is lost."""

    def __init__(self, server: Sftp, path: str) -> None:
        self._server = server
        self._path = path.rstrip("/") or "/"
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def files(self) -> list[Entry]:
        """The plain files, without links."""
        async with self._speaking() as client:
            return [
                Entry(name, each.attrs.size or 0, _changed(each.attrs))
                for each in await client.readdir(self._path)
                if is_safe(name := str(each.filename)) and each.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR
            ]

    async def find(self, name: str) -> Entry | None:
        """A file as it is now."""
        async with self._speaking() as client:
            try:
                found = await client.lstat(self._at(name))
            except asyncssh.SFTPNoSuchFile:
                return None
            return (
                Entry(name, found.size or 0, _changed(found)) if found.type == asyncssh.FILEXFER_TYPE_REGULAR else None
            )

    async def fetch(self, name: str, target: Path) -> str | None:
        """Copy a file and return its SHA-256."""
        digest, at = sha256(), 0
        async with self._speaking() as client:
            try:
                async with client.open(self._at(name), "rb") as source:
                    with Written(target) as out:
                        while chunk := cast(bytes, await source.read(CHUNK, at)):
                            at += len(chunk)
                            digest.update(chunk)
                            await asyncio.to_thread(out, chunk)
            except asyncssh.SFTPNoSuchFile:
                return None
        return digest.hexdigest()

    async def move(self, name: str, folder: str, new_name: str) -> None:
        """Move a file into a folder; one that is gone was moved before."""
        async with self._speaking() as client:
            await client.makedirs(self._at(folder), exist_ok=True)
            try:
                await _replace(client, self._at(name), self._at(folder, new_name))
            except asyncssh.SFTPNoSuchFile:
                return

    async def move_back(self, folder: str, name: str, new_name: str) -> None:
        """Move a file out of a folder; without the extension for it, a rename of SFTP never replaces a file."""
        async with self._speaking() as client:
            await client.rename(self._at(folder, name), self._at(new_name))

    async def put(self, source: Path, folder: str, name: str) -> None:
        """Copy a file into a folder."""
        draft = self._at(folder, f".{name}.part")
        async with self._speaking() as client:
            await client.makedirs(self._at(folder), exist_ok=True)
            await client.put(str(source), draft)
            await _replace(client, draft, self._at(folder, name))

    async def remove(self, name: str) -> None:
        """Delete a file."""
        async with self._speaking() as client:
            try:
                await client.remove(self._at(name))
            except asyncssh.SFTPNoSuchFile:
                return

    async def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()
        self._connection = self._client = None

    async def connect(self) -> None:
        """Connect. Raises `Unreachable` and `UsageError`."""
        async with self._speaking():
            return

    @asynccontextmanager
    async def _speaking(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """The client, with every error of the server in words."""
        try:
            async with asyncio.timeout(self._server.timeout_seconds) as limit:
                client = self._client or await self._connected()
                # A long file may take its time: the limit is one of silence, which the connection itself watches.
                limit.reschedule(None)
                yield client
        except EnvironmentFailure:
            raise
        except REFUSED as error:
            await self._lost()
            raise UsageError(f"{self._named} refuses: {error.reason}; see user, key and known_hosts") from None
        except TimeoutError:
            await self._lost()
            raise Unreachable(f"{self._named} does not answer in {self._server.timeout_seconds:g} s") from None
        except (asyncssh.Error, OSError) as error:
            await self._lost()
            said = error.reason if isinstance(error, asyncssh.Error) else error.strerror or str(error)
            raise Unreachable(f"{self._named}, folder {self._path}: {said}") from None

    async def _connected(self) -> asyncssh.SFTPClient:
        server = self._server
        if not server.known_hosts.is_file():
            raise UsageError(
                f"the file {server.known_hosts} of known hosts is missing: ssh-keyscan makes one; check it"
            )
        keys = [asyncssh.import_private_key(server.key.reveal())] if server.key is not None else None
        self._connection = await asyncssh.connect(
            server.host,
            server.port,
            username=server.user,
            password=server.password.reveal() if server.password is not None else None,
            client_keys=keys,
            known_hosts=str(server.known_hosts),
            config=None,
            agent_path=None,
            keepalive_interval=server.timeout_seconds,
            keepalive_count_max=2,
        )
        self._client = await self._connection.start_sftp_client()
        return self._client

    async def _lost(self) -> None:
        if self._connection is not None:
            self._connection.abort()
        self._connection = self._client = None

    @property
    def _named(self) -> str:
        return f"the server {self._server.host}:{self._server.port}"

    def _at(self, *names: str) -> str:
        return "/".join((self._path.rstrip("/"), *names))


class Written:
    """The file `target`, open: a callable that writes bytes. Errors of this machine's disk are told as such."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> Self:
        try:
            self._file = self._target.open("wb")
        except OSError as error:
            raise disk_failure(self._target, error) from error
        return self

    def __call__(self, chunk: bytes) -> None:
        """Write bytes."""
        try:
            self._file.write(chunk)
        except OSError as error:
            raise disk_failure(self._target, error) from error

    def __exit__(self, *_: object) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise disk_failure(self._target, error) from error
        finally:
            self._file.close()


async def _replace(client: asyncssh.SFTPClient, old: str, new: str) -> None:
    """A rename that replaces; a server that cannot do so in one step deletes the other one first."""
    try:
        await client.posix_rename(old, new)
    except asyncssh.SFTPOpUnsupported:
        if await client.exists(new):
            await client.remove(new)
        await client.rename(old, new)


def _changed(attrs: asyncssh.SFTPAttrs) -> int:
    return (attrs.mtime or 0) * 1_000_000_000 + (attrs.mtime_ns or 0)
