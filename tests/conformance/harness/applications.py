"""Applications that take any bytes: behind TCP chains, and on ports without a proxy."""

import asyncio
import re
import threading

from .client import MARK

_REQUEST = re.compile(rb"^(\S+)\s+(\S+)\s+HTTP/1\.[01]\s*\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r]*)\r\n", re.IGNORECASE)


class Applications:
    """Servers of one world, in a thread of their own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._servers = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def open(self, address: str, port: int, name: str, http: bool) -> None:
        """Starts a server. One that reads HTTP says what it saw of a request."""
        async def start():
            self._servers.append(await asyncio.start_server(_serve(name, http), address, port))
        asyncio.run_coroutine_threadsafe(start(), self._loop).result()

    def close(self) -> None:
        """Stops all servers."""
        async def stop():
            for server in self._servers:
                server.close()
            self._servers.clear()
        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()


def _serve(name: str, http: bool):
    async def serve(reader, writer):
        try:
            data = await reader.read(65536)
            writer.write(_answer(name, http, data) if data else b"")
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
    return serve


def _answer(name: str, http: bool, data: bytes) -> bytes:
    """HTTP for what looks like it, the mark for everything else."""
    request = _REQUEST.match(data)
    if not request:
        return MARK + name.encode() + b"\r\n\r\n"
    lines = [b"HTTP/1.1 200 OK", b"content-length: 0", b"app-name: " + name.encode()]
    host = _HOST.search(data)
    if http:
        lines += [b"app-path: " + request.group(2), b"app-authority: " + (host.group(1) if host else b"")]
    return b"\r\n".join(lines) + b"\r\n\r\n"
