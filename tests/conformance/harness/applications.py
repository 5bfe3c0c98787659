"""Applications that take any bytes: behind TCP chains, and on ports without a proxy."""

import asyncio
import re
import threading

from .client import MARK

_REQUEST = re.compile(rb"^\S+\s+(\S+)\s+HTTP/1\.[01]\s*\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r]*)\r\n", re.IGNORECASE)


class Applications:
    """Servers of one world, in a thread of their own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._servers = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def open(self, port: int, name: str, reads: bool) -> None:
        """Starts a server. One that reads HTTP says what it saw of a request."""
        async def start():
            self._servers.append(await asyncio.start_server(_serve(name.encode(), reads), "127.0.0.1", port))
        asyncio.run_coroutine_threadsafe(start(), self._loop).result()

    def close(self) -> None:
        """Stops all servers."""
        async def stop():
            for server in self._servers:
                server.close()
            self._servers.clear()
        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()


def _serve(name: bytes, reads: bool):
    async def serve(reader, writer):
        try:
            data = await reader.read(65536)
            writer.write(_answer(name, reads, data))
            await writer.drain()
            while await reader.read(65536):  # closing with bytes unread would take the answer back
                pass
        except OSError:
            pass
        finally:
            writer.close()
    return serve


def _answer(name: bytes, reads: bool, data: bytes) -> bytes:
    """HTTP to what looks like it, so that a proxy may carry it back, else the mark."""
    request = _REQUEST.match(data)
    if not request:
        return MARK + name + b"\r\n\r\n" if data else b""
    lines = [b"HTTP/1.1 200 OK", b"content-length: 0", b"connection: close", b"app-name: " + name]
    if reads:
        host = _HOST.search(data)
        lines += [b"app-path: " + request.group(1), b"app-authority: " + (host.group(1) if host else b"")]
    return b"\r\n".join(lines) + b"\r\n\r\n"
