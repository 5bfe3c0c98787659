"""Applications that take any bytes: behind TCP chains, and on ports without a proxy."""

import asyncio
import re
import threading

from .client import MARK

_REQUEST = re.compile(rb"^\S+\s+\S+\s+HTTP/1\.[01]\s*\r\n")


class Applications:
    """Servers of one world, in a thread of their own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._servers = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def open(self, port: int, name: str) -> None:
        """Starts a server."""
        async def start():
            self._servers.append(await asyncio.start_server(_serve(name.encode()), "127.0.0.1", port))
        asyncio.run_coroutine_threadsafe(start(), self._loop).result()

    def close(self) -> None:
        """Stops all servers."""
        async def stop():
            for server in self._servers:
                server.close()
            self._servers.clear()
        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()


def _serve(name: bytes):
    """Answers the first bytes: HTTP to what looks like it, so that a proxy may carry it back, else the mark."""
    async def serve(reader, writer):
        try:
            data = await reader.read(65536)
            if _REQUEST.match(data):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\napp-name: " + name + b"\r\n\r\n")
            elif data:
                writer.write(MARK + name + b"\r\n\r\n")
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
    return serve
